"""Settings: everything that decides what a run does, as plain values that go into its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from ganeval.conventions import DEFAULT
from ganeval.errors import InputError
from ganeval.training.loop import Precision

OnCollapse = Literal["warn", "stop", "rollback"]

RUNTIME = ("score_budget", "score_every", "checkpoint_every", "sample_every", "on_collapse", "num_fakes", "num_fakes_training")
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
    channels_last: bool = False
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
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            odd = ", ".join(sorted(set(values) ^ known))
            raise InputError(f"the run was made by another version of ganeval (its settings differ in {odd}); use that version")
        plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return cls(**plain)
