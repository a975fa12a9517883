"""Inception Score of images that come one batch after another, in constant memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganeval.errors import InputError
from ganeval.report import Score


@dataclass(frozen=True, eq=False)
class ClassSums:
    """What the Inception Score needs of each split; sums of two sets add up. Image number i of a set is of split i mod num_splits."""

    counts: Tensor  # int64 [num_splits]
    probabilities: Tensor  # float64 [num_splits, classes], the sums of p(y|x)
    information: Tensor  # float64 [num_splits], the sums of Σ p(y|x) log p(y|x)

    @classmethod
    def of(cls, logits: Tensor, *, num_splits: int, first: int = 0) -> ClassSums:
        """Of float logits [num_images, classes], the first of which is image number `first`."""
        log_p = (logits.cpu() if logits.device.type == "mps" else logits).double().log_softmax(dim=1)
        p = log_p.exp()
        split = torch.arange(first, first + len(p), device=p.device) % num_splits
        counts = torch.bincount(split, minlength=num_splits)
        probabilities = p.new_zeros(num_splits, p.shape[1]).index_add_(0, split, p)
        information = p.new_zeros(num_splits).index_add_(0, split, (p * log_p).sum(dim=1))
        return cls(counts, probabilities, information)

    @property
    def count(self) -> int:
        return int(self.counts.sum())

    def __add__(self, other: ClassSums) -> ClassSums:
        """Of both sets together.

        Raises:
            InputError: other numbers of splits or classes.
        """
        if self.probabilities.shape != other.probabilities.shape:
            raise InputError(
                f"sums of {_shape(self)} and of {_shape(other)} cannot be merged; use one extractor and one number of splits for both"
            )
        return ClassSums(self.counts + other.counts, self.probabilities + other.probabilities, self.information + other.information)

    def score(self, *, ddof: int = 0) -> Score:
        """exp of the mean KL(p(y|x) ‖ p(y)) within each split (Salimans et al. 2016, sec. 4): the mean over splits, and their deviation.

        It is `inception_score` of the images ordered by split.

        Raises:
            InputError: a split without images.
        """
        if not self.counts.all():
            raise InputError(f"{len(self.counts)} splits of {self.count} images: choose at most {self.count} splits, or add images")
        q = self.probabilities / self.counts[:, None]
        kl = self.information / self.counts - torch.xlogy(q, q).sum(dim=1)
        values = kl.exp()
        return Score(values.mean().item(), values.std(correction=ddof).item() if len(values) > ddof else None)


def _shape(sums: ClassSums) -> str:
    num_splits, classes = sums.probabilities.shape
    return f"{num_splits} splits by {classes} classes"
