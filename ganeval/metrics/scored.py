"""From what was measured to scores: what each row of METRICS gives its function."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ganeval.measured import Measured, Vectors
from ganeval.metrics.frechet import frechet_distance
from ganeval.metrics.frechet_error import scored_distance
from ganeval.metrics.inception_score import inception_score
from ganeval.metrics.infinity import fid_infinity
from ganeval.metrics.kid import kid
from ganeval.metrics.manifold import Manifold, Neighborhood
from ganeval.metrics.metric import Scores, Sets, Settings
from ganeval.metrics.per_class import checked_classes, members, within_classes
from ganeval.metrics.uncertainty import scored_mean
from ganeval.report import Score
from ganeval.stats import FeatureStats

Scoring = Callable[[Sets, Settings, bool], Scores]


def distance(sets: Sets, settings: Settings, spread: bool) -> Scores:
    assert sets.real is not None
    return {"": _distance(sets.real, sets.fake, settings, spread)}


def spatial_distance(sets: Sets, settings: Settings, spread: bool) -> Scores:
    assert sets.real is not None
    assert sets.real.spatial is not None
    assert sets.fake.spatial is not None
    return {"": _distance(sets.real.spatial, sets.fake.spatial, settings, spread)}


def _distance(real: Vectors, fake: Vectors, settings: Settings, spread: bool) -> Score:
    assert real.stats is not None
    assert fake.stats is not None
    value = frechet_distance(real.stats, fake.stats, method=settings.method)
    kept = fake.sample if fake.features is None else fake.features
    return scored_distance(real.stats, fake.stats, kept, value=value) if spread and kept is not None else Score(value)


def extrapolated_distance(sets: Sets, settings: Settings, spread: bool) -> Scores:
    assert sets.real is not None
    assert sets.real.stats is not None
    return {"": fid_infinity(sets.real.stats, _features(sets.fake), seed=settings.seed, spread=spread)}


def distance_within_classes(sets: Sets, settings: Settings, spread: bool) -> Scores:
    assert sets.real is not None
    real, fake = _features(sets.real), _features(sets.fake)
    names = checked_classes({"real": sets.real.classes, "fake": sets.fake.classes}, fewest=2)
    of_real, of_fake = members(sets.real.classes or ()), members(sets.fake.classes or ())

    def within(name: str) -> Score:
        some_real, some_fake = real[of_real[name]], fake[of_fake[name]]
        first, second = (Vectors(stats=FeatureStats.of(some), features=some) for some in (some_real, some_fake))
        return _distance(first, second, settings, spread)

    return within_classes(within, names)


def class_score(sets: Sets, settings: Settings, spread: bool) -> Scores:
    return {"": _class_score(_logits(sets.fake), settings, settings.num_splits or settings.convention.is_num_splits)}


def class_score_within_classes(sets: Sets, settings: Settings, spread: bool) -> Scores:
    """In one split if nothing else is asked for: classes are small."""
    logits, num_splits = _logits(sets.fake), settings.num_splits or 1
    names = checked_classes({"fake": sets.fake.classes}, fewest=max(2, num_splits))
    of_fake = members(sets.fake.classes or ())
    return within_classes(lambda name: _class_score(logits[of_fake[name]], settings, num_splits), names)


def _class_score(logits: Tensor, settings: Settings, num_splits: int) -> Score:
    convention = settings.convention
    return inception_score(
        logits,
        num_splits=num_splits,
        order=convention.is_order,
        seed=settings.seed,
        split=convention.is_split,
        ddof=convention.is_spread_ddof,
    )


def kernel_distance(sets: Sets, settings: Settings, spread: bool) -> Scores:
    assert sets.real is not None
    real, fake = _features(sets.real), _features(sets.fake)
    return {"": kid(real, fake, num_subsets=settings.num_subsets, subset_size=settings.subset_size, seed=settings.seed)}


def of_manifold(neighborhood: Neighborhood, part: Callable[[Manifold], Score]) -> Scoring:
    """One of the four scores of a definition of neighborhoods."""
    return lambda sets, settings, spread: {"": part(sets.manifold(neighborhood, spread=spread))}


def of_fakes(score: Callable[[Tensor], Score]) -> Scoring:
    """A function of the fakes' features."""
    return lambda sets, settings, spread: {"": score(_features(sets.fake))}


def of_logits(score: Callable[..., Score]) -> Scoring:
    """A function of the fakes' logits and of the seed."""
    return lambda sets, settings, spread: {"": score(_logits(sets.fake), seed=settings.seed)}


def of_two(score: Callable[[Tensor, Tensor], Score]) -> Scoring:
    """A function of the features of reals and fakes."""

    def scored(sets: Sets, settings: Settings, spread: bool) -> Scores:
        assert sets.real is not None
        return {"": score(_features(sets.real), _features(sets.fake))}

    return scored


def of_three(score: Callable[[Tensor, Tensor, Tensor], Score]) -> Scoring:
    """A function of the features of training pictures, of held-out pictures and of fakes."""

    def scored(sets: Sets, settings: Settings, spread: bool) -> Scores:
        assert sets.real is not None
        assert sets.held_out is not None
        return {"": score(_features(sets.real), _features(sets.held_out), _features(sets.fake))}

    return scored


def of_pairs(difference: str) -> Scoring:
    """The mean of one number for each pair of fake and target."""

    def scored(sets: Sets, settings: Settings, spread: bool) -> Scores:
        assert sets.fake.pairs is not None
        return {"": scored_mean(sets.fake.pairs[difference])}

    return scored


def _features(measured: Measured) -> Tensor:
    assert measured.features is not None  # the row's `needs` asked for them
    return measured.features


def _logits(measured: Measured) -> Tensor:
    assert measured.logits is not None
    return measured.logits
