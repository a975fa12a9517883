"""Make the bundled reference stats and their lines in index.json.

    python reference_stats/make.py DATA

DATA holds the folders named in SETS, of picture files as the sets publish them. Each file says in itself what it was made with: the
number of pictures, the digest of their pixels and of the weights, and all versions.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from ganeval.evaluator import reference_of
from ganeval.files import sha256_of

HERE = Path(__file__).parent
SETS = {
    "cifar10-train": ("cifar10/train", "CIFAR-10 train, 50,000 at 32×32 (Krizhevsky 2009)"),
    "cifar10-test": ("cifar10/test", "CIFAR-10 test, 10,000 at 32×32 (Krizhevsky 2009)"),
    "mnist-train": ("mnist/train", "MNIST train, 60,000 at 28×28 (LeCun et al. 1998)"),
    "mnist-test": ("mnist/test", "MNIST test, 10,000 at 28×28 (LeCun et al. 1998)"),
    "fashion-mnist-train": ("fashion-mnist/train", "Fashion-MNIST train, 60,000 at 28×28 (Xiao et al. 2017)"),
    "fashion-mnist-test": ("fashion-mnist/test", "Fashion-MNIST test, 10,000 at 28×28 (Xiao et al. 2017)"),
    "celeba-2500": ("celeba-faces", "CelebA, aligned faces 000001 to 002500 at 89×109 (Liu et al. 2015)"),
    "horse2zebra-horse": ("horse2zebra-128/trainA", "400 horses of horse2zebra trainA at 128×128 (Zhu et al. 2017)"),
    "horse2zebra-zebra": ("horse2zebra-128/trainB", "400 zebras of horse2zebra trainB at 128×128 (Zhu et al. 2017)"),
}


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(data: Path) -> None:
    index_file = HERE / "index.json"
    index = json.loads(index_file.read_text(encoding="utf-8"))
    for name, (folder, about) in SETS.items():
        file = HERE / "tiny" / f"{name}.npz"
        file.parent.mkdir(exist_ok=True)
        reference = reference_of(data / folder, extractor="tiny", batch_size=250)
        reference.save(file)
        index[f"tiny/{name}"] = {
            "extractor": "tiny",
            "convention": "ttur",
            "about": about,
            "file": f"tiny/{name}.npz",
            "sha256": sha256_of(file),
        }
        click.echo(f"{file}: {reference.stats.count:,} images")
    index_file.write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
