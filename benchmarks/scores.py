"""The table of measured scores in models/README.md: each run over several seeds, from the command line as a user would.

    python benchmarks/scores.py --out runs/scores [--data-folder DATA] [--seeds 3] [--jobs 1] [--only dcgan ...]

Prints a Markdown row for each: the score of the untrained model, that of the best checkpoint on held-out pictures (mean ± standard
deviation over seeds), seconds of training, and the command. Runs that are already in `--out` are not made again. DATA holds the unpacked
`mnist`, `fashion-mnist`, `cifar10` and the archives `landcover-pairs.zip`, `horse2zebra-128.zip`, `celeba-faces.zip`; without it only the
embedded data are trained on.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

SHOWN = ("fd_tiny", "is_tiny", "fd_tiny_within_class", "label_accuracy", "l1", "psnr", "ssim", "cycle_l1", "attribute_accuracy")
EMBEDDED = ("gan", "dcgan", "cgan", "lsgan", "pix2pix", "cyclegan", "stargan")


@dataclass(frozen=True)
class Row:
    model: str
    name: str  # of the data
    options: tuple[str, ...] = ()


def real_rows(data: Path) -> list[Row]:
    """On real pictures, in sizes that two cores can train."""
    small = ("--config", "quick", "--extractor", "tiny")
    return [
        Row("gan", "mnist", ("--data", str(data / "mnist"), "--gray", "--image-size", "28", *small)),
        Row("dcgan", "cifar10", ("--data", str(data / "cifar10"), "--image-size", "32", *small)),
        Row("cgan", "fashion-mnist", ("--data", str(data / "fashion-mnist"), "--gray", "--image-size", "28", *small)),
        Row("lsgan", "cifar10", ("--data", str(data / "cifar10"), "--image-size", "32", *small)),
        Row("pix2pix", "landcover", ("--data", str(data / "landcover-pairs.zip"), "--image-size", "64", "--direction", "BtoA", *small)),
        Row("cyclegan", "horse2zebra", ("--data", str(data / "horse2zebra-128.zip"), "--image-size", "32", *small)),
        Row("stargan", "celeba-faces", ("--data", str(data / "celeba-faces.zip"), "--image-size", "32", *small)),
    ]


def trained(row: Row, seed: int, out: Path, threads: int) -> Path:
    """The folder of one run, made if it is not there."""
    folder = out / f"{row.model}-{row.name}-{seed}"
    if (folder / "scores.json").exists():
        return folder
    command = [
        sys.executable,
        "-m",
        "ganeval",
        "train-and-score",
        row.model,
        *row.options,
        "--seed",
        str(seed),
        "--out",
        str(folder),
        "--json",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    (out / f"{folder.name}.log").write_text(done.stderr + done.stdout)
    if done.returncode:
        raise click.ClickException(f"{' '.join(command)} failed: {done.stderr.splitlines()[-1]}")
    return folder


def printed(row: Row, folders: list[Path]) -> str:
    """One row of the table."""
    finals = [json.loads((folder / "scores.json").read_text()) for folder in folders]
    reports = [next(iter(final["reports"].values())) for final in finals]
    first = [json.loads((folder / "scores.jsonl").read_text().splitlines()[0])["scores"]["fd_tiny"]["value"] for folder in folders]
    last = [json.loads((folder / "losses.jsonl").read_text().splitlines()[-1]) for folder in folders]
    scores = [f"{key} {spread([report['scores'][key]['value'] for report in reports])}" for key in SHOWN if key in reports[0]["scores"]]
    seconds = f"{statistics.mean(one['seconds'] for one in last):.0f}"
    steps = ", ".join(f"{final['step']:,}" for final in finals)
    options = " ".join(Path(part).name if part.startswith("/") else part for part in row.options)
    return (
        f"| `{row.model}` | {row.name} | {last[0]['step']:,} | {spread(first)} | {'; '.join(scores)} | {steps} | {seconds} "
        f"| `ganeval train-and-score {row.model} {options}`".rstrip(" `")
        + "` |"
    )


def spread(values: list[float], digits: int = 3) -> str:
    mean = f"{statistics.mean(values):.{digits}g}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.2g}"


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--data-folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--seeds", default=3, show_default=True)
@click.option("--jobs", default=1, show_default=True, help="Runs at the same time; the threads are divided among them.")
@click.option("--only", multiple=True, help="Of the models.")
def main(out: Path, data_folder: Path | None, seeds: int, jobs: int, only: tuple[str, ...]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    rows = [Row(model, "shapes") for model in EMBEDDED] if data_folder is None else real_rows(data_folder.resolve())
    chosen = [row for row in rows if not only or row.model in only]
    threads = max(1, (os.cpu_count() or 1) // jobs)
    click.echo("| model | data | steps | fd_tiny untrained | best checkpoint, held out | of step | seconds | command |")
    click.echo("| --- | --- | ---: | ---: | --- | ---: | ---: | --- |")
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [(row, [pool.submit(trained, row, seed, out, threads) for seed in range(seeds)]) for row in chosen]
        for row, futures in waiting:
            click.echo(printed(row, [future.result() for future in futures]))


if __name__ == "__main__":
    main()
