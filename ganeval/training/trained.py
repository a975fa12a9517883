"""A finished or broken-off run, opened again: to generate, to translate, to score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from ganeval.errors import InputError, nearest, reason
from ganeval.machine import chosen_device
from ganeval.pages.run import write_page
from ganeval.progress import Progress, silent
from ganeval.shape import check_fields
from ganeval.training.batch import DataSpec
from ganeval.training.building import built
from ganeval.training.checkpoint import load_checkpoint
from ganeval.training.datasets.provenance import changed_pictures
from ganeval.training.gan import GAN
from ganeval.training.run_folder import CheckpointName, RunFolder
from ganeval.training.sampling import averaged, sampling
from ganeval.training.scoring import Half, ScoreCard, Scorer
from ganeval.training.session import data_of, scorer_of
from ganeval.training.settings import Settings
from ganeval.training.state import load_nets
from ganeval.training.tasks import made


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model with the weights of one checkpoint."""

    folder: RunFolder
    settings: Settings
    checkpoint: CheckpointName
    step: int
    seconds: float  # of training up to there
    model: GAN
    average: AveragedModel | None
    imported: tuple[str, ...] | None = None  # where it was not trained here: the nets that files were given for

    @classmethod
    def opened(cls, path: Path, *, checkpoint: CheckpointName | None = None, device: str | None = None) -> Trained:
        """Of a run folder; the best checkpoint, and the last where no score has chosen one.

        Raises:
            InputError: no run, no such checkpoint, or one that is damaged or of another model.
        """
        folder = RunFolder.opened(path)
        config = folder.config()
        settings = Settings.from_dict(config["settings"])
        model = built(settings, spec_from(config["data"]["spec"]))
        model = model.to(chosen_device(device))
        average = averaged(model)
        if checkpoint is None:
            checkpoint = "best" if folder.checkpoint("best").exists() else "last"
        state = load_checkpoint(folder.checkpoint(checkpoint))
        load_nets(model, average, state)
        return cls(
            folder=folder,
            settings=settings,
            checkpoint=checkpoint,
            step=state["step"],
            seconds=0.0 if "imported" in state else state["overseer"]["seconds"],
            model=model,
            average=average,
            imported=tuple(state["imported"]) if "imported" in state else None,
        )

    @property
    def in_words(self) -> str:
        """Whose weights they are."""
        return f"{self.checkpoint} checkpoint, of step {self.step:,}" if self.imported is None else "imported weights"

    @property
    def one_way(self) -> bool:
        """Whether the way back is of no file."""
        return self.imported is not None and len(self.imported) < len(self.model.generators)

    def images(self, number: int, *, label: str | None = None, seed: int = 0) -> Tensor:
        """`number` new pictures, uint8 [number, channels, side, side]; of one class, or of all in turn.

        Raises:
            InputError: a model that translates, or a label that it does not know.
        """
        spec = self.model.spec
        if spec.task not in ("images", "classes"):
            raise InputError(f"{self.settings.model} translates pictures; give it some: ganeval translate {self.folder.path} PHOTOS -o OUT")
        labels = None
        if spec.task == "classes":
            labels = torch.arange(number) % spec.num_labels if label is None else torch.full((number,), label_index(spec, label))
        elif label is not None:
            raise InputError(f"{self.settings.model} knows no classes; leave --label out, or train cgan")
        with sampling(self.model, self.average, seed=seed) as rng:
            return made(self.model, rng, number, labels=labels)

    def translated(self, source: Tensor, *, attributes: Mapping[str, bool] | None = None, backward: bool = False, seed: int = 0) -> Tensor:
        """Pictures, uint8 [num, channels, side, side], to the other domain, or with the attributes given; those not named are off.

        Raises:
            InputError: a model that makes pictures out of noise, a way back that it does not have, or unknown attributes.
        """
        spec = self.model.spec
        if spec.task in ("images", "classes"):
            raise InputError(
                f"{self.settings.model} makes pictures out of noise; ask for some: ganeval generate {self.folder.path} -n 64 -o OUT"
            )
        if backward and spec.task != "domains":
            raise InputError(f"{self.settings.model} translates one way only; leave --backward out")
        if backward and self.one_way:
            raise InputError(f"{self.folder.path} was imported without the way back; import it with both files, or leave --backward out")
        labels = None
        if spec.task == "attributes":
            if not attributes:
                raise InputError(f"say which of {', '.join(spec.label_names)} the pictures shall have: --set {spec.label_names[0]}=1")
            labels = torch.zeros(len(source), spec.num_labels)
            for name, value in attributes.items():
                labels[:, label_index(spec, name)] = float(value)
        elif attributes:
            raise InputError(f"{self.settings.model} knows no attributes; leave --set out")
        with sampling(self.model, self.average, seed=seed) as rng:
            return made(self.model, rng, len(source), labels=labels, source=source, backward=backward)

    def score(
        self,
        *,
        half: Half = "report",
        num_fakes: int | None = None,
        seed: int = 0,
        scorer: Scorer | None = None,
        lang: str | None = None,
        progress: Progress = silent,
        **changes: Any,
    ) -> ScoreCard:
        """Scores against held-out pictures, as the model's task asks; they are added to the run folder.

        `scorer` is one of the run's data; without it the data are opened again, and `changes` to the run's settings are as for `Scorer`.
        `lang` is the language of the run's page, None that which the run was begun with.

        Raises:
            InputError: data that are no longer there, or scores that these cannot give.
        """
        path = self.folder.path
        if self.one_way:
            raise InputError(f"{path} was imported without the way back, which is scored too; score what `ganeval translate {path}` makes")
        if not self.settings.data:
            raise InputError(f"{path} was imported without data to score it against; import it again with --data")
        if scorer is None:
            data = data_of(self.settings, enlarged=False, progress=progress)
            if data.spec != self.model.spec:
                raise InputError(
                    f"{self.settings.data} is no longer what the run was trained on ({data.spec} instead of {self.model.spec})"
                )
            if other := changed_pictures(self.folder.config()["data"]["provenance"], data.provenance, ("test",)):
                raise InputError(f"{self.settings.data} {other} the run chose its checkpoint by; put the same back to score it again")
            scorer = scorer_of(self.settings, data, self.model.device, progress, **changes)
        card = scorer(self.model, self.average, half=half, num_fakes=num_fakes or self.settings.num_fakes, seed=seed)
        self._record(card, half, seed, lang)
        return card

    def _record(self, card: ScoreCard, half: Half, seed: int, lang: str | None) -> None:
        """Into `scores.json` and the page, before earlier ones; of the same fakes and reals, what was scored now and what was before."""
        file = self.folder.path / "scores.json"
        known = self.folder.read_json("scores.json")["reports"] if file.exists() else {}
        report = card.report
        fakes = f"{report.num_fake:,} fakes" if seed == 0 else f"{report.num_fake:,} fakes of seed {seed}"
        weights = f"{self.checkpoint} checkpoint, step {self.step:,}" if self.imported is None else self.in_words
        title = f"{weights}: {report.extractor}, {report.convention}, {fakes} against {REALS[half]}"
        found = {**report.to_dict(), "diversity": card.diversity.to_dict()}
        earlier_one = known.get(title, {})
        for part in ("scores", "titles"):
            found[part] = {**earlier_one.get(part, {}), **found[part]}
        whose = earlier_one.get("provenance", {})
        for part in ("scores", "networks"):  # which metric and network each score is of
            found["provenance"] = {**found["provenance"], part: {**whose.get(part, {}), **found["provenance"][part]}}
        reports = {title: found, **{other: earlier for other, earlier in known.items() if other != title}}
        self.folder.write_json(
            "scores.json", {"step": self.step, "seconds": self.seconds, "checkpoint": self.checkpoint, "reports": reports}
        )
        write_page(self.folder.path, lang=lang)


REALS: Mapping[Half, str] = {
    "report": "the half of the test split that chose no checkpoint",
    "choose": "the half of the test split that chose the checkpoint",
    "test": "the test split",
    "train": "the training split",
}


def spec_from(values: Any) -> DataSpec:
    """What a run folder says of its data.

    Raises:
        InputError: it says something else.
    """
    try:
        check_fields(values, DataSpec, "'spec'")
    except ValueError as error:
        raise InputError(f"what the run says of its data is damaged: {reason(error)}; take config.json from a copy of it") from None
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return DataSpec(**plain)


def label_index(spec: DataSpec, label: str) -> int:
    """A class or attribute by name or number.

    Raises:
        InputError: there is none such.
    """
    if label in spec.label_names:
        return spec.label_names.index(label)
    if label.isdecimal() and int(label) < spec.num_labels:
        return int(label)
    raise InputError(f"there is no label {label!r}; {nearest(label, spec.label_names)}, or give a number from 0 to {spec.num_labels - 1}")
