"""Settings: everything that decides what a run does, as plain values that go into its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from ganeval.conventions import DEFAULT
from ganeval.errors import InputError, reason
from ganeval.seeds import check_seed
from ganeval.shape import check_fields
from ganeval.training.config import preset_of
from ganeval.training.datasets import names
from ganeval.training.loop import Precision
from ganeval.training.models import load_model
from ganeval.training.state import MAY_CHANGE

OnCollapse = Literal["warn", "stop", "rollback"]

RUNTIME = ("score_budget", "score_every", "checkpoint_every", "sample_every", "on_collapse", "num_fakes")
"""What may change when a run is continued: it does not touch what is trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One run. None stands for what fits the model and the data."""

    model: str  # an installed model
    preset: str  # one of its named configurations …
    config: Mapping[str, Any]  # … with all values, the changed ones too
    # Data, as for `open_data`.
    data: str = "shapes"
    image_size: int | None = None
    channels: int | None = None
    attributes: tuple[str, ...] = ()
    direction: Literal["AtoB", "BtoA"] = "AtoB"
    # How it is run.
    seed: int = 0
    precision: Precision = "float32"
    compiled: bool = False
    channels_last: bool | None = None
    deterministic: bool = False
    # How it is scored.
    extractor: str = "tiny"
    metrics: tuple[str, ...] = ("fid",)
    convention: str = DEFAULT
    weights: str | None = None
    num_fakes: int | None = None  # of the final score
    num_fakes_training: int = 1000  # of a score on the way
    score_budget: float = 0.05  # share of the wall time
    score_every: int | None = None  # steps; overrides the budget
    on_collapse: OnCollapse = "warn"
    checkpoint_every: int | None = None  # steps
    sample_every: int | None = None  # steps

    def __post_init__(self) -> None:
        check_seed(self.seed)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        values = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Settings:
        """What `to_dict` made.

        Raises:
            InputError: settings of another version of ganeval.
        """
        if not isinstance(values, dict):
            raise InputError(f"the settings of the run are {values!r:.60}; take its config.json from a copy of the run")
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            odd = ", ".join(sorted(set(values) ^ known))
            raise InputError(f"the run was made by another version of ganeval (its settings differ in {odd}); use that version")
        try:
            check_fields(values, cls, "the settings")
            check_fields(values["config"], load_model(values["model"]).Config, "the configuration")
        except ValueError as error:
            raise InputError(f"the settings of the run are damaged: {reason(error)}; take its config.json from a copy of the run") from None
        plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return cls(**plain)


def settings_for(name: str, changes: Mapping[str, Any]) -> Settings:
    """Settings of a new run: `changes` are fields of `Settings`, under "config" those of the configuration that differ from the preset.

    Raises:
        InputError: no such model or preset, or a value that no run can work with.
    """
    model = load_model(name)
    given = placed({key: value for key, value in changes.items() if key != "config"})
    drawn = given.get("data", "shapes") == "shapes"
    preset = given.pop("preset", None) or ("quick" if drawn and "quick" in model.presets else next(iter(model.presets)))
    config = replace(preset_of(model, preset).config, **changes.get("config", {}))
    given.setdefault("extractor", "tiny" if drawn else "inception")
    given.setdefault("metrics", ("fid", "is") if model.task in ("images", "classes") else ("fid",))
    return Settings(model=name, preset=preset, config=asdict(config), **given)


def placed(given: dict[str, Any]) -> dict[str, Any]:
    """With whole paths for what is on this machine: a run may be continued from another folder."""
    on_disk = [key for key in ("data", "weights") if key in given and given[key] not in names() and Path(given[key]).exists()]
    return {**given, **{key: str(Path(given[key]).resolve()) for key in on_disk}}


def continued(settings: Settings, path: Path, model: str | None, changes: Mapping[str, Any]) -> Settings:
    """The settings of a run with changes that leave it the same run."""
    if model is not None and model != settings.model:
        raise InputError(
            f"{path} is a run of {settings.model}, not of {model}; continue it with: ganeval train {settings.model} --resume {path}"
        )
    given = placed({key: value for key, value in changes.items() if key != "config"})
    config = dict(changes.get("config", {}))
    before = {**settings.to_dict(), **settings.config}
    for key, value in {**given, **config}.items():
        now = list(value) if isinstance(value, tuple) else value
        if key not in (*RUNTIME, *MAY_CHANGE) and now != before[key]:
            raise InputError(f"{path} was begun with {key} = {before[key]!r}, not {now!r}; continue with the same, or start a new run")
    runtime = {key: value for key, value in given.items() if key in RUNTIME}
    return replace(settings, config={**settings.config, **config}, **runtime)
