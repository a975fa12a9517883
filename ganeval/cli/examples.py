"""What `--help` shows at its end: lines that can be typed as they stand, with one's own names in place of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

EXAMPLES: Mapping[str, Sequence[str]] = {
    "fid": (
        "ganeval fid real/ fake/",
        "ganeval fid cifar10.npz samples.zip --convention pytorch-fid --json",
        "ganeval fid tiny/cifar10-train fake/ --extractor tiny",
    ),
    "is": ("ganeval is fake/", "ganeval is samples.npz --num-splits 1 --json"),
    "evaluate": (
        "ganeval evaluate real/ fake/ --metrics fid,kid,precision,recall",
        "ganeval evaluate real/ fake/ --metrics all --held-out test/",
        "ganeval evaluate real/ fake/ --conventions all --published 12.3",
    ),
    "compare": ("ganeval compare a.json b.json", "ganeval compare runs/dcgan runs/lsgan --metrics fd_tiny"),
    "cite": ("ganeval cite a.json",),
    "doctor": ("ganeval doctor real/ fake/", "ganeval doctor fake/ --no-measure --json"),
    "explain": ("ganeval explain real/ fake/ -o explained/",),
    "ppl": ("ganeval ppl runs/dcgan --num-pairs 10000",),
    "stats compute": ("ganeval stats compute real/ -o real.npz", "ganeval stats compute real/ -o part-1.npz --shard 1/4"),
    "stats show": ("ganeval stats show real.npz",),
    "stats merge": ("ganeval stats merge part-1.npz part-2.npz -o real.npz",),
    "stats list": ("ganeval stats list",),
    "stats fetch": ("ganeval stats fetch ttur/celeba",),
    "weights list": ("ganeval weights list",),
    "weights fetch": ("ganeval weights fetch", "ganeval weights fetch dinov2 --mirror https://mirror.example/weights"),
    "weights import": ("ganeval weights import pt_inception-2015-12-05-6726825d.pth",),
    "weights path": ("ganeval weights path inception",),
    "cache info": ("ganeval cache info",),
    "cache clear": ("ganeval cache clear",),
    "metrics": ("ganeval metrics", "ganeval metrics kid"),
    "conventions": ("ganeval conventions",),
    "extractors": ("ganeval extractors",),
    "train": (
        "ganeval train MODEL",
        "ganeval train MODEL --data ./my_images --num-steps 50000 --out runs/mine",
        "ganeval train MODEL --resume runs/mine",
    ),
    "train-and-score": ("ganeval train-and-score MODEL", "ganeval train-and-score MODEL --config article --json"),
    "generate": ("ganeval generate runs/cgan -n 50000 -o fakes/", "ganeval generate runs/cgan -o sixes/ --label 6"),
    "translate": (
        "ganeval translate runs/cyclegan photos/ -o out/",
        "ganeval translate runs/stargan faces/ -o out/ --set Smiling=1 --set Young=0",
    ),
    "score": ("ganeval score runs/dcgan", "ganeval score runs/dcgan --metrics fid,kid --against test"),
    "import": (
        "ganeval import cyclegan latest_net_G_A.pth latest_net_G_B.pth --image-size 256",
        "ganeval import pix2pix latest_net_G.pth --dropout --data facades/ --direction BtoA",
        "ganeval import stargan 200000-G.ckpt --image-size 128 --attributes Black_Hair,Blond_Hair,Brown_Hair,Male,Young",
    ),
    "models": ("ganeval models", "ganeval models dcgan"),
    "data": ("ganeval data",),
    "completion": ('eval "$(ganeval completion bash)"', "ganeval completion fish > ~/.config/fish/completions/ganeval.fish"),
}


def epilog(lines: Sequence[str]) -> str:
    """As `--help` prints it; the mark keeps the lines apart."""
    return "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])


def add_examples(group: click.Group, within: str = "") -> None:
    """Give each command below `group` its examples, by its path: "stats show"."""
    for name, command in group.commands.items():
        path = f"{within}{name}"
        if path in EXAMPLES:
            command.epilog = epilog(EXAMPLES[path])
        if isinstance(command, click.Group):
            add_examples(command, f"{path} ")
