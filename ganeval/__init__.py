"""ganeval: a number you can trust for any image generator.

Names are imported when they are first used, so that `import ganeval` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganeval.conventions import CONVENTIONS, Convention
    from ganeval.disagreement import disagreement
    from ganeval.doctor.diagnosis import Diagnosis, diagnose
    from ganeval.errors import InputError
    from ganeval.evaluator import Evaluator, evaluate, fid, inception_score
    from ganeval.explanation import explain
    from ganeval.extractors.lpips import load_lpips
    from ganeval.extractors.protocol import Activations, FeatureExtractor
    from ganeval.generators import open_generator
    from ganeval.images import open_images, to_uint8
    from ganeval.metrics import METRICS
    from ganeval.metrics.frechet import frechet_distance
    from ganeval.monitor import Monitor
    from ganeval.pages.scores import write_report
    from ganeval.path_length import perceptual_path_length
    from ganeval.reference import Reference, load_reference
    from ganeval.report import Report, Score
    from ganeval.stats import FeatureStats
    from ganeval.streaming import FrechetInceptionDistance, InceptionScore, KernelInceptionDistance
    from ganeval.training.batch import Batch, DataSpec
    from ganeval.training.datasets import open_data
    from ganeval.training.gan import GAN
    from ganeval.training.loader import Loader
    from ganeval.training.loop import train
    from ganeval.training.scoring import Scorer
    from ganeval.verdict import load_report, verdicts

_HOME = {
    "CONVENTIONS": "conventions",
    "Convention": "conventions",
    "Diagnosis": "doctor.diagnosis",
    "diagnose": "doctor.diagnosis",
    "InputError": "errors",
    "Evaluator": "evaluator",
    "evaluate": "evaluator",
    "fid": "evaluator",
    "inception_score": "evaluator",
    "Activations": "extractors.protocol",
    "FeatureExtractor": "extractors.protocol",
    "load_lpips": "extractors.lpips",
    "open_generator": "generators",
    "open_images": "images",
    "to_uint8": "images",
    "METRICS": "metrics",
    "frechet_distance": "metrics.frechet",
    "Monitor": "monitor",
    "perceptual_path_length": "path_length",
    "write_report": "pages.scores",
    "Reference": "reference",
    "load_reference": "reference",
    "Report": "report",
    "disagreement": "disagreement",
    "explain": "explanation",
    "load_report": "verdict",
    "verdicts": "verdict",
    "Score": "report",
    "FeatureStats": "stats",
    "FrechetInceptionDistance": "streaming",
    "InceptionScore": "streaming",
    "KernelInceptionDistance": "streaming",
    "Batch": "training.batch",
    "DataSpec": "training.batch",
    "open_data": "training.datasets",
    "GAN": "training.gan",
    "Loader": "training.loader",
    "train": "training.loop",
    "Scorer": "training.scoring",
}

__all__ = [
    "CONVENTIONS",
    "GAN",
    "METRICS",
    "Activations",
    "Batch",
    "Convention",
    "DataSpec",
    "Diagnosis",
    "Evaluator",
    "FeatureExtractor",
    "FeatureStats",
    "FrechetInceptionDistance",
    "InceptionScore",
    "InputError",
    "KernelInceptionDistance",
    "Loader",
    "Monitor",
    "Reference",
    "Report",
    "Score",
    "Scorer",
    "diagnose",
    "disagreement",
    "evaluate",
    "explain",
    "fid",
    "frechet_distance",
    "inception_score",
    "load_lpips",
    "load_reference",
    "load_report",
    "open_data",
    "open_generator",
    "open_images",
    "perceptual_path_length",
    "to_uint8",
    "train",
    "verdicts",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ganeval' has no attribute {name!r}")
    value = getattr(import_module(f"ganeval.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
