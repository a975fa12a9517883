"""How every metric answers to damage of known strength and to the number of fakes, as plots for `docs/metrics.md`.

    python benchmarks/responses.py DATA OUT [--num 2000] [--set cifar10]

DATA as for sensitivity.py. Reals are train pictures; fakes are test pictures, damaged by the ladders of sensitivity.py; held-out pictures
are other test pictures; the network is `tiny`. Writes `responses.json` and one .png for each metric into OUT; with `--only-plot` it draws
from the .json that is there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from PIL import Image
from torch import Tensor
from torch.utils.data import TensorDataset

from ganeval import METRICS, Evaluator, Report, evaluate
from ganeval.metrics import score_key
from sensitivity import LADDERS

KEEP_LABELS = ("blur (radius)", "noise (sigma)", "JPEG (100 - quality)", "color shift (levels)")  # the others reorder or replace pictures
PAIRED = ("l1", "psnr", "ssim")  # LPIPS needs weights that are not embedded
OPTIONS: dict[str, Any] = {"extractor": "tiny", "num_subsets": 50, "subset_size": 250, "batch_size": 250}


def drawn(folder: Path, per_class: int, *, skip: int = 0) -> tuple[Tensor, Tensor]:
    """Pictures of each class by chance (files are sorted by kind within a class), after `skip` others, and their labels."""
    images, labels = [], []
    for label, path in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
        files = sorted(path.iterdir())
        order = torch.randperm(len(files), generator=torch.Generator().manual_seed(label)).tolist()
        for index in order[skip : skip + per_class]:
            images.append(np.array(Image.open(files[index]).convert("RGB")))
            labels.append(label)
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(), torch.tensor(labels)


def shown(report: Report) -> dict[str, tuple[float, float | None]]:
    return {key: (score.value, score.error) for key, score in report.scores.items() if "/" not in key}


def responses(folder: Path, num: int) -> dict[str, Any]:
    """By ladder (and "number of fakes"), the strengths and the scores at each, each a (value, standard error)."""
    per_class = num // 10
    real, fake = drawn(folder / "train", per_class), drawn(folder / "test", per_class)
    held_out, _ = drawn(folder / "test", per_class // 2, skip=per_class)
    evaluator = Evaluator(TensorDataset(*real), metrics="all", held_out=held_out, spread=True, **OPTIONS)
    clean = shown(evaluator(TensorDataset(*fake)))
    found: dict[str, Any] = {}
    for name, (damage, strengths) in LADDERS.items():
        click.echo(name, err=True)
        scores = [clean]
        for strength in strengths:
            damaged = damage(*fake, strength)
            with_classes = TensorDataset(damaged, fake[1]) if name in KEEP_LABELS else damaged
            one = shown(evaluator(with_classes))
            if name in KEEP_LABELS:
                one |= shown(evaluate(fake[0], damaged, metrics=PAIRED))
            scores.append(one)
        found[name] = {"strengths": [0, *strengths], "scores": scores}
    order = torch.randperm(len(fake[0]), generator=torch.Generator().manual_seed(0))
    numbers = [num // 8, num // 4, num // 2, num]
    subsets = [TensorDataset(fake[0][order[:number]], fake[1][order[:number]]) for number in numbers]
    found["number of fakes"] = {"strengths": numbers, "scores": [shown(evaluator(subset)) for subset in subsets]}
    return found


def plot(found: dict[str, Any], key: str, better: str, path: Path) -> None:
    """Two panels: the answer to damage, and to the number of undamaged fakes; for pairs, the first alone."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3), width_ratios=(2, 1), layout="constrained")
    for name, ladder in found.items():
        panel: Axes = right if name == "number of fakes" else left
        rows = [(i, one[key]) for i, one in enumerate(ladder["scores"]) if key in one]
        if rows:
            x = [ladder["strengths"][i] if panel is right else i for i, _ in rows]
            values, errors = [value for _, (value, _) in rows], [error or 0.0 for _, (_, error) in rows]
            color = "black" if panel is right else None
            panel.errorbar(x, values, errors, marker="o", markersize=3, capsize=2, linewidth=1, label=name.partition(" (")[0], color=color)
    left.set(xlabel="strength of the damage (0: clean)", ylabel=f"{key} ({better} is better)", xticks=range(6))
    right.set(xlabel="number of clean fakes")
    if right.lines:
        right.set_xticks(found["number of fakes"]["strengths"])
    else:
        right.remove()
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=8)
    figure.legend(*left.get_legend_handles_labels(), loc="outside right center", fontsize=8, frameon=False)
    figure.savefig(path, dpi=90, metadata={"Software": None}, pil_kwargs={"optimize": True})
    plt.close(figure)


OF_TINY = ("inception", "clip-l-336", "pixels")  # networks whose metrics are shown, by `tiny` in place of the first two


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--num", default=2000, show_default=True, help="Pictures on each side.")
@click.option("--set", "name", default="cifar10", show_default=True)
@click.option("--only-plot", is_flag=True)
def main(data: Path, out: Path, num: int, name: str, only_plot: bool) -> None:
    out.mkdir(parents=True, exist_ok=True)
    file = out / "responses.json"
    if not only_plot:
        file.write_text(json.dumps(responses(data / name, num)) + "\n")
    found = json.loads(file.read_text())
    plt.rcParams.update({"font.size": 9})
    for metric, row in METRICS.items():
        key = metric if row.paired else score_key(metric, "tiny")
        drawable = any(key in one for ladder in found.values() for one in ladder["scores"])
        if drawable and row.network in OF_TINY:
            plot(found, key, row.better, out / f"{metric}.png")


if __name__ == "__main__":
    main()
