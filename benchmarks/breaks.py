"""Do the learning tests notice a wrong model? Each break is made once, in a copy, and the tests of that model run on it.

    python benchmarks/breaks.py [--only stargan ...]

Prints a Markdown row for each break, with the number of tests that failed: "learning" trains and looks at the fakes, "gradients"
compares one step with the objective written down again, "losses" are values known in closed form, "steps" looks at what the nets are given.
A break that nothing notices is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("models", "tests", "ganeval", "examples", "benchmarks", "pyproject.toml")
KINDS = {"learning": "test_learning.py", "gradients": "test_objectives.py", "losses": "test_losses.py", "steps": "test_models.py"}


@dataclass(frozen=True)
class Break:
    model: str
    what: str
    old: str
    new: str

    @property
    def file(self) -> str:
        return f"models/ganeval_models/{self.model}.py"


SWAPPED, DETACHED, SIGN = "labels swapped", "graph detached", "wrong sign"
D = "self.discriminator"
BREAKS = (
    Break(
        "gan",
        SWAPPED,
        f"{D}(real), self.config.real_label) + log_loss({D}(fake.detach()), 0)",
        f"{D}(real), 0) + log_loss({D}(fake.detach()), 1)",
    ),
    Break("gan", DETACHED, f"logits = {D}(fake)", f"logits = {D}(fake.detach()) + 0 * fake.sum()"),
    Break("gan", SIGN, "log_loss(logits, 1) if", "-log_loss(logits, 1) if"),
    Break("dcgan", SWAPPED, f"{D}(real), 1) + log_loss({D}(fake.detach()), 0)", f"{D}(real), 0) + log_loss({D}(fake.detach()), 1)"),
    Break("dcgan", DETACHED, f"log_loss({D}(fake), 1)", f"log_loss({D}(fake.detach()) + 0 * fake.sum(), 1)"),
    Break("dcgan", SIGN, "g_loss = log_loss", "g_loss = -log_loss"),
    Break("lsgan", SWAPPED, f"{D}(real), b) + squared_loss({D}(fake.detach()), a)", f"{D}(real), a) + squared_loss({D}(fake.detach()), b)"),
    Break("lsgan", DETACHED, f"{D}(fake), c)", f"{D}(fake.detach()) + 0 * fake.sum(), c)"),
    Break("lsgan", SIGN, "g_loss = squared_loss", "g_loss = -squared_loss"),
    Break(
        "cgan",
        SWAPPED,
        f"{D}(real, labels), 1) + log_loss({D}(fake.detach(), labels), 0)",
        f"{D}(real, labels), 0) + log_loss({D}(fake.detach(), labels), 1)",
    ),
    Break("cgan", DETACHED, f"log_loss({D}(fake, labels), 1)", f"log_loss({D}(fake.detach(), labels) + 0 * fake.sum(), 1)"),
    Break("cgan", SIGN, "g_loss = log_loss", "g_loss = -log_loss"),
    Break("cgan", "wrong classes of reals", f"{D}(real, labels), 1)", f"{D}(real, labels.flip(0)), 1)"),
    Break("cgan", "wrong classes of fakes in D", "fake.detach(), labels), 0)", "fake.detach(), labels.flip(0)), 0)"),
    Break("cgan", "wrong classes in G", "self.made(batch.labels)\n", "self.made(batch.labels.flip(0))\n"),
    Break("pix2pix", SWAPPED, "log_loss(d_real, 1) + log_loss(d_fake, 0)", "log_loss(d_real, 0) + log_loss(d_fake, 1)"),
    Break("pix2pix", "adversarial detached", "[source, fake], dim=1)), 1)", "[source, fake.detach()], dim=1)) + 0 * fake.sum(), 1)"),
    Break("pix2pix", "L1 detached", "distance(fake, real)", "distance(fake.detach(), real)"),
    Break("pix2pix", "wrong sign of L1", "g_loss + self.config.lambda_l1", "g_loss - self.config.lambda_l1"),
    Break("pix2pix", "wrong sign of adversarial", "g_loss = log_loss", "g_loss = -log_loss"),
    Break("pix2pix", "wrong sources in D", "[source, fake.detach()], dim=1))\n", "[source.flip(0), fake.detach()], dim=1))\n"),
    Break("pix2pix", "wrong sources in G", "[source, fake], dim=1)), 1)", "[source.flip(0), fake], dim=1)), 1)"),
    Break(
        "cyclegan",
        SWAPPED,
        "loss(self.target_discriminator(target), 1) + loss(self.target_discriminator(seen_target), 0)",
        "loss(self.target_discriminator(target), 0) + loss(self.target_discriminator(seen_target), 1)",
    ),
    Break(
        "cyclegan",
        "discriminators swapped",
        "loss(self.target_discriminator(fake_target), 1) + loss(self.source_discriminator(fake_source), 1)",
        "loss(self.source_discriminator(fake_target), 1) + loss(self.target_discriminator(fake_source), 1)",
    ),
    Break(
        "cyclegan",
        DETACHED,
        "loss(self.target_discriminator(fake_target), 1) + loss(self.source_discriminator(fake_source), 1)",
        "loss(self.target_discriminator(fake_target.detach()), 1) + loss(self.source_discriminator(fake_source.detach()), 1)",
    ),
    Break(
        "cyclegan",
        "one way detached",
        "loss(self.target_discriminator(fake_target), 1)",
        "loss(self.target_discriminator(fake_target.detach()), 1)",
    ),
    Break("cyclegan", "cycle detached", "self.to_source(fake_target), source", "self.to_source(fake_target).detach(), source"),
    Break("cyclegan", "wrong sign of cycle", "g_loss + config.lambda_cycle", "g_loss - config.lambda_cycle"),
    Break("cyclegan", "wrong sign of identity", "total = total + config", "total = total - config"),
    Break("cyclegan", "wrong sign of adversarial", "total = g_loss +", "total = -g_loss +"),
    Break("cyclegan", "fakes the wrong way", "self.to_target(batch.source)", "self.to_source(batch.source)"),
    Break(
        "stargan",
        "G told the old labels",
        "-score.mean(), classification_loss(logits, wanted)",
        "-score.mean(), classification_loss(logits, labels)",
    ),
    Break("stargan", "the way back with wrong labels", "self.generator(fake, labels)", "self.generator(fake, wanted)"),
    Break("stargan", "D classifies by wrong labels", "classification_loss(logits, labels)\n", "classification_loss(logits, wanted)\n"),
    Break("stargan", DETACHED, f"score, logits = {D}(fake)", f"score, logits = {D}(fake.detach())"),
    Break("stargan", "wrong sign in D", f"{D}(fake)[0].mean() - real_score.mean()", f"real_score.mean() - {D}(fake)[0].mean()"),
    Break("stargan", "wrong sign in G", "-score.mean(), class", "score.mean(), class"),
    Break(
        "stargan",
        "wrong sign of classification",
        "config.lambda_cls * classification + config.lambda_rec",
        "-config.lambda_cls * classification + config.lambda_rec",
    ),
    Break("stargan", "wrong sign of reconstruction", "+ config.lambda_rec * rec", "- config.lambda_rec * rec"),
)


def failures(broken: Break, copy: Path) -> dict[str, int]:
    """How many tests of each kind fail on the break."""
    file = copy / broken.file
    whole = file.read_text(encoding="utf-8")
    if whole.count(broken.old) != 1:
        raise click.ClickException(
            f"{broken.old!r} is {whole.count(broken.old)} times in {broken.file}; bring the list of breaks up to date"
        )
    file.write_text(whole.replace(broken.old, broken.new), encoding="utf-8")
    try:
        return {kind: _failed(copy, f"tests/{name}", broken.model) for kind, name in KINDS.items()}
    finally:
        file.write_text(whole, encoding="utf-8")


def _failed(copy: Path, tests: str, model: str) -> int:
    # The names of tests, not those of models in them: "gan" is in all.
    words = {"gan": "reals and not dcgan and not lsgan or VanillaGAN"}.get(model, model)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(copy / "models"), str(copy)]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", "--tb=no", "-p", "no:cacheprovider", tests, "-k", words]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 5):  # passed, failed, none of that model
        raise click.ClickException(done.stdout + done.stderr)
    return done.stdout.count("FAILED ")


@click.command()
@click.option("--only", multiple=True, help="Of the models.")
def main(only: tuple[str, ...]) -> None:
    unnoticed = []
    click.echo(f"| model | break | {' | '.join(KINDS)} |\n| --- | --- |{' ---: |' * len(KINDS)}")
    with tempfile.TemporaryDirectory() as folder:
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, Path(folder) / part)
        for broken in BREAKS:
            if only and broken.model not in only:
                continue
            found = failures(broken, Path(folder))
            click.echo(f"| {broken.model} | {broken.what} | {' | '.join(str(number or '') for number in found.values())} |")
            if not any(found.values()):
                unnoticed.append(f"{broken.model}: {broken.what}")
    if unnoticed:
        raise click.ClickException(f"no test noticed {', '.join(unnoticed)}")


if __name__ == "__main__":
    main()
