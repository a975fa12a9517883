"""What a row of METRICS is, and what its function is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ganeval.conventions import Convention
from ganeval.measured import Measured, Need
from ganeval.metrics.frechet import Method
from ganeval.metrics.manifold import Manifold, Neighborhood, manifold
from ganeval.report import Score
from ganeval.seeds import check_seed

Label = Literal["real", "fake", "held-out"]
Scores = Mapping[str, Score]  # "" is the score itself; others are of parts, and are called `<key>/<part>`


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user may choose for a metric."""

    convention: Convention
    seed: int = 2020  # torch-fidelity's default, behind the published values
    num_splits: int | None = None  # of the Inception Score; None is the convention's
    method: Method = "symmetric"  # of the Fréchet distance
    num_subsets: int = 100  # of KID; torch-fidelity's, as the next
    subset_size: int = 1000
    spread: bool | None = None  # standard errors; None is wherever they cost little

    def __post_init__(self) -> None:
        check_seed(self.seed)


@dataclass(slots=True)
class Sets:
    """The sides of a comparison as one network sees them, and what several metrics share."""

    real: Measured | None
    fake: Measured
    held_out: Measured | None = None
    _manifolds: dict[tuple[Neighborhood, bool], Manifold] = field(default_factory=dict)

    def manifold(self, neighborhood: Neighborhood, *, spread: bool) -> Manifold:
        """Precision, recall, density and coverage, computed once; with their standard errors if `spread`.

        Raises:
            InputError: as `manifold`.
        """
        if (neighborhood, spread) not in self._manifolds:
            assert self.real is not None
            real, fake = self.real.features, self.fake.features
            assert real is not None
            assert fake is not None
            self._manifolds[neighborhood, spread] = manifold(real, fake, neighborhood, spread=spread)
        return self._manifolds[neighborhood, spread]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A row of METRICS."""

    title: str  # with its own network
    other_title: str | None = None  # with another one; None is the same
    other_key: str | None = None  # with network X the score is called `<other_key>_X`; None is the key itself
    network: str = "inception"  # whose features define it
    better: Literal["lower", "higher", "near 0"]
    needs: Mapping[Label, frozenset[Need]]  # of each side; a side that is not named is not needed
    for_error: frozenset[Need] = frozenset()  # of the fakes, for the standard error
    costly: bool = False  # whether the standard error takes more than a tenth of a run
    biased: bool = True  # whether its expectation depends on the number of fakes
    moved_by: tuple[str, ...] = ()  # settings, by their keys in the provenance, that it depends on beyond those of the network
    fewest: Callable[[Settings], int] = lambda settings: 2  # images on each side
    score: Callable[[Sets, Settings, bool], Scores]  # the last says whether to compute the standard error
    source: str
    bibtex: str  # key in citations.bib
    equals: str  # whose numbers it reproduces
    sees: str  # in a few words

    @property
    def paired(self) -> bool:
        """Whether it compares each fake with one target."""
        return "pairs" in self.needs.get("fake", ())

    def needs_of(self, label: Label, settings: Settings) -> frozenset[Need]:
        """What extraction must keep of one side."""
        needs = self.needs.get(label, frozenset())
        return needs | self.for_error if label == "fake" and self.has_error(settings) else needs

    def has_error(self, settings: Settings) -> bool:
        """Whether its standard error is to be computed."""
        return not self.costly if settings.spread is None else settings.spread
