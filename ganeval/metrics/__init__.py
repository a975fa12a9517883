"""METRICS: the one table of metrics. Each is a pure function of stats, features or logits, in a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ganeval.measured import Need
from ganeval.metrics import scored
from ganeval.metrics.authenticity import authpct
from ganeval.metrics.cmmd import cmmd
from ganeval.metrics.ct import NUM_COMPONENTS, ct
from ganeval.metrics.fld import fld
from ganeval.metrics.infinity import is_infinity
from ganeval.metrics.manifold import KYNKAANNIEMI, NAEEM
from ganeval.metrics.metric import Label, Metric, Sets, Settings
from ganeval.metrics.mifid import mifid
from ganeval.metrics.vendi import vendi

__all__ = ["METRICS", "Label", "Metric", "Sets", "Settings", "score_key"]

_stats: frozenset[Need] = frozenset({"stats"})
_features: frozenset[Need] = frozenset({"features"})
_logits: frozenset[Need] = frozenset({"logits"})
_sample: frozenset[Need] = frozenset({"sample"})
_classes: frozenset[Need] = frozenset({"classes"})
_spatial: frozenset[Need] = frozenset({"spatial stats"})
_spatial_sample: frozenset[Need] = frozenset({"spatial sample"})
_both: Mapping[Label, frozenset[Need]] = {"real": _features, "fake": _features}
_three: Mapping[Label, frozenset[Need]] = {**_both, "held-out": _features}

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "fid": Metric(
            title="Fréchet Inception Distance",
            other_key="fd",
            other_title="Fréchet distance",
            better="lower",
            needs={"real": _stats, "fake": _stats},
            for_error=_sample,
            score=scored.distance,
            source="Heusel et al. 2017",
            bibtex="heusel2017gans",
            equals="by convention: TTUR, pytorch-fid, clean-fid, torchmetrics …",
            sees="quality and diversity at once, through mean and covariance",
        ),
        "is": Metric(
            title="Inception Score",
            other_title="class score",
            better="higher",
            needs={"fake": _logits},
            fewest=lambda settings: settings.num_splits or settings.convention.is_num_splits,
            moved_by=("order", "seed", "num_splits"),
            score=scored.class_score,
            source="Salimans et al. 2016",
            bibtex="salimans2016improved",
            equals="by convention: torch-fidelity, improved-gan, torchmetrics",
            sees="sure and varied class predictions; knows no reals",
        ),
        "kid": Metric(
            title="Kernel Inception Distance",
            other_key="kd",
            other_title="kernel distance",
            better="lower",
            needs=_both,
            fewest=lambda settings: settings.subset_size,
            biased=False,
            moved_by=("seed", "num_subsets", "subset_size"),
            score=scored.kernel_distance,
            source="Bińkowski et al. 2018",
            bibtex="binkowski2018demystifying",
            equals="torch-fidelity, with the same subsets",
            sees="as FID, without its bias from few images",
        ),
        "fid_infinity": Metric(
            title="FID extrapolated to infinitely many fakes",
            other_key="fd_infinity",
            other_title="Fréchet distance extrapolated to infinitely many fakes",
            better="lower",
            needs={"real": _stats, "fake": _features},
            costly=True,
            fewest=lambda settings: 20,
            biased=False,
            moved_by=("seed",),
            score=scored.extrapolated_distance,
            source="Chong and Forsyth 2020",
            bibtex="chong2020effectively",
            equals="FID_IS_infinity's extrapolation; its subsets are unseeded",
            sees="as FID, without the bias from few fakes",
        ),
        "is_infinity": Metric(
            title="Inception Score extrapolated to infinitely many images",
            other_title="class score extrapolated to infinitely many images",
            better="higher",
            needs={"fake": _logits},
            fewest=lambda settings: 20,
            biased=False,
            moved_by=("seed",),
            score=scored.of_logits(is_infinity),
            source="Chong and Forsyth 2020",
            bibtex="chong2020effectively",
            equals="FID_IS_infinity's extrapolation; its subsets are unseeded",
            sees="as IS, without the bias from few images",
        ),
        "sfid": Metric(
            title="FID of features that know their position",
            other_key="sfd",
            other_title="Fréchet distance of features that know their position",
            better="lower",
            needs={"real": _spatial, "fake": _spatial},
            for_error=_spatial_sample,
            score=scored.spatial_distance,
            source="Nash et al. 2021",
            bibtex="nash2021generating",
            equals="ADM's evaluator.py",
            sees="layout: what is where",
        ),
        "mifid": Metric(
            title="memorization-informed FID",
            other_key="mifd",
            other_title="memorization-informed Fréchet distance",
            better="lower",
            needs=_both,
            score=scored.of_two(mifid),
            source="Bai et al. 2021",
            bibtex="bai2021training",
            equals="generative-memorization-benchmark; torchmetrics swaps the sides",
            sees="as FID, and copies of training pictures",
        ),
        "precision": Metric(
            title="share of fakes within the reals' neighborhoods (k = 3, ≤)",
            better="higher",
            needs=_both,
            fewest=lambda settings: KYNKAANNIEMI.k + 1,
            biased=False,
            score=scored.of_manifold(KYNKAANNIEMI, lambda manifold: manifold.precision),
            source="Kynkäänniemi et al. 2019",
            bibtex="kynkaanniemi2019improved",
            equals="ADM; with vgg16: torch-fidelity",
            sees="quality",
        ),
        "recall": Metric(
            title="share of reals within the fakes' neighborhoods (k = 3, ≤)",
            better="higher",
            needs=_both,
            fewest=lambda settings: KYNKAANNIEMI.k + 1,
            score=scored.of_manifold(KYNKAANNIEMI, lambda manifold: manifold.recall),
            source="Kynkäänniemi et al. 2019",
            bibtex="kynkaanniemi2019improved",
            equals="ADM; with vgg16: torch-fidelity",
            sees="diversity; outliers among the fakes flatter it",
        ),
        "prdc_precision": Metric(
            title="share of fakes within the reals' neighborhoods (k = 5, <)",
            better="higher",
            needs=_both,
            fewest=lambda settings: NAEEM.k + 1,
            biased=False,
            score=scored.of_manifold(NAEEM, lambda manifold: manifold.precision),
            source="Kynkäänniemi et al. 2019",
            bibtex="kynkaanniemi2019improved",
            equals="prdc, dgm-eval",
            sees="quality",
        ),
        "prdc_recall": Metric(
            title="share of reals within the fakes' neighborhoods (k = 5, <)",
            better="higher",
            needs=_both,
            fewest=lambda settings: NAEEM.k + 1,
            score=scored.of_manifold(NAEEM, lambda manifold: manifold.recall),
            source="Kynkäänniemi et al. 2019",
            bibtex="kynkaanniemi2019improved",
            equals="prdc, dgm-eval",
            sees="diversity; outliers among the fakes flatter it",
        ),
        "density": Metric(
            title="how many reals' neighborhoods a fake is in, over k = 5",
            better="higher",
            needs=_both,
            fewest=lambda settings: NAEEM.k + 1,
            biased=False,
            score=scored.of_manifold(NAEEM, lambda manifold: manifold.density),
            source="Naeem et al. 2020",
            bibtex="naeem2020reliable",
            equals="prdc, dgm-eval",
            sees="quality, less swayed by outliers among the reals; may exceed 1",
        ),
        "coverage": Metric(
            title="share of reals with a fake in their neighborhood (k = 5)",
            better="higher",
            needs=_both,
            fewest=lambda settings: NAEEM.k + 1,
            score=scored.of_manifold(NAEEM, lambda manifold: manifold.coverage),
            source="Naeem et al. 2020",
            bibtex="naeem2020reliable",
            equals="prdc, dgm-eval",
            sees="diversity, not swayed by outliers among the fakes",
        ),
        "vendi": Metric(
            title="Vendi Score: how many unlike pictures there are, in effect",
            better="higher",
            needs={"fake": _features},
            score=scored.of_fakes(vendi),
            source="Friedman and Dieng 2023",
            bibtex="friedman2023vendi",
            equals="vendi_score, with the cosine kernel",
            sees="diversity alone; knows no reals",
        ),
        "authpct": Metric(
            title="per cent of fakes that are no near copies of a real",
            better="higher",
            needs=_both,
            biased=False,
            score=scored.of_two(authpct),
            source="Alaa et al. 2022",
            bibtex="alaa2022faithful",
            equals="dgm-eval",
            sees="copies of training pictures; 50 is honest, bad pictures flatter it",
        ),
        "ct": Metric(
            title="C_T: data copying, a mean z-value; below −3 is copying",
            better="near 0",
            needs=_three,
            fewest=lambda settings: NUM_COMPONENTS,
            moved_by=("seed",),
            score=scored.of_three(ct),
            source="Meehan et al. 2020",
            bibtex="meehan2020nonparametric",
            equals="dgm-eval's cells and components; its k-means is unseeded",
            sees="copies of training pictures, against held-out ones",
        ),
        "fld": Metric(
            title="Feature Likelihood Divergence, baseline 0",
            better="lower",
            needs=_three,
            score=scored.of_three(fld),
            source="Jiralerspong et al. 2023",
            bibtex="jiralerspong2023feature",
            equals="fld, before its baseline for each data set",
            sees="quality, diversity and copies at once",
        ),
        "cmmd": Metric(
            title="CMMD: maximum mean discrepancy of CLIP features",
            other_title="maximum mean discrepancy of directions, Gaussian kernel",
            network="clip-l-336",
            better="lower",
            needs=_both,
            score=scored.of_two(cmmd),
            source="Jayasumana et al. 2024",
            bibtex="jayasumana2024rethinking",
            equals="cmmd-pytorch",
            sees="content as CLIP describes it; no assumption of Gaussians",
        ),
        "fd_dinov2": Metric(
            title="Fréchet distance of DINOv2 features",
            other_key="fd",
            other_title="Fréchet distance",
            network="dinov2",
            better="lower",
            needs={"real": _stats, "fake": _stats},
            for_error=_sample,
            score=scored.distance,
            source="Stein et al. 2023",
            bibtex="stein2023exposing",
            equals="dgm-eval",
            sees="as FID, closer to human judgment of quality",
        ),
        "fd_clip": Metric(
            title="Fréchet distance of CLIP features",
            other_key="fd",
            other_title="Fréchet distance",
            network="clip",
            better="lower",
            needs={"real": _stats, "fake": _stats},
            for_error=_sample,
            score=scored.distance,
            source="Kynkäänniemi et al. 2023",
            bibtex="kynkaanniemi2023role",
            equals="clean-fid's CLIP-FID",
            sees="as FID, not drawn to ImageNet classes",
        ),
        "intra_fid": Metric(
            title="mean over classes of the FID within a class",
            other_key="intra_fd",
            other_title="mean over classes of the Fréchet distance within a class",
            better="lower",
            needs={"real": _features | _classes, "fake": _features | _classes},
            score=scored.distance_within_classes,
            source="Miyato and Koyama 2018",
            bibtex="miyato2018cgans",
            equals="pytorch-fid run on each class",
            sees="classes that are mixed up or badly made",
        ),
        "intra_is": Metric(
            title="mean over classes of the Inception Score within a class",
            other_title="mean over classes of the class score within a class",
            better="lower",
            needs={"fake": _logits | _classes},
            moved_by=("order", "seed", "num_splits"),
            score=scored.class_score_within_classes,
            source="Benny et al. 2021",
            bibtex="benny2021evaluation",
            equals="IS run on each class, in one split",
            sees="fakes of one class that look like several",
        ),
    }
)


def score_key(metric: str, extractor: str) -> str:
    """The key of a score: a metric's own key is of its own network and of nothing else, `fid` and `is` of Inception."""
    row = METRICS[metric]
    return metric if extractor == row.network else f"{row.other_key or metric}_{extractor.replace('-', '_')}"
