"""Runs from the command line: all seven from data on disk to scores, resumed, asked for pictures, and refused where they must be."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from ganeval.cli import main
from ganeval.images.png import write_png
from ganeval.training.batch import Task
from ganeval.training.checkpoint import load_checkpoint, save_checkpoint
from ganeval.training.data import Split, stacked
from ganeval.training.models import load_model
from marks import slow_except
from small_models import SMALL, small_data

pytestmark = pytest.mark.usefixtures("one_thread")


def on_disk(task: Task, size: int, folder: Path) -> Path:
    """The small data as a folder that `--data` takes."""
    data = small_data(task, size)
    for part, split in (("train", data.train), ("test", data.test)):
        images = stacked(split.images)
        for index, image in enumerate(images):
            name = f"{index:03d}.png"
            if task == "classes":
                assert split.labels is not None
                path = folder / part / data.spec.label_names[int(split.labels[index])] / name
            elif task == "domains":
                path = folder / part / "B" / name
            else:
                path = folder / part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if split.source is not None and task == "pairs":
                image = torch.cat([split.source[index], image], dim=2)
            write_png(path, image)
            if split.source is not None and task == "domains":
                (folder / part / "A").mkdir(exist_ok=True)
                write_png(folder / part / "A" / name, split.source[index])
        if task == "attributes":
            write_table(folder / part / "labels.csv", split, data.spec.label_names)
    if task == "attributes":
        merge_tables(folder)
    return folder


def write_table(file: Path, split: Split, names: tuple[str, ...]) -> None:
    assert split.labels is not None
    with file.open("w", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(["filename", *names])
        for index, row in enumerate(split.labels.int().tolist()):
            table.writerow([f"{file.parent.name}/{index:03d}.png", *row])


def merge_tables(folder: Path) -> None:
    train, test = ((folder / part / "labels.csv").read_text() for part in ("train", "test"))
    (folder / "labels.csv").write_text(train + test.split("\n", 1)[1])
    for part in ("train", "test"):
        (folder / part / "labels.csv").unlink()


def options(name: str) -> list[str]:
    size, changes = SMALL[name]
    given = {**changes, "batch_size": 4, "num_steps": 6, "ema_decay": 0.5, "image_size": size, "data": ""}
    del given["data"]
    return [text for key, value in given.items() for text in (f"--{key.replace('_', '-')}", str(value))]


COMMON = ["--config", "paper", "--extractor", "tiny", "--score-every", "3", "--num-fakes-training", "12", "--quiet", "--device", "cpu"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture(scope="session")
def data_of(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made: dict[tuple[Task, int], Path] = {}

    def folder(name: str) -> Path:
        task, size = load_model(name).task, SMALL[name][0]
        if (task, size) not in made:
            made[task, size] = on_disk(task, size, tmp_path_factory.mktemp(f"{task}-{size}"))
        return made[task, size]

    return folder


OWN_SCORES = {
    "gan": {"is_tiny"},
    "dcgan": {"is_tiny"},
    "lsgan": {"is_tiny"},
    "cgan": {"is_tiny", "fd_tiny_within_class", "label_accuracy", "label_accuracy_real", "fd_tiny/dark"},
    "pix2pix": {"l1", "psnr", "ssim"},
    "cyclegan": {"fd_tiny/A-to-B", "fd_tiny/B-to-A", "cycle_l1"},
    "stargan": {"fd_tiny/bright", "fd_tiny/red", "attribute_accuracy", "labels_accuracy", "cycle_l1"},
}


@pytest.mark.parametrize("name", slow_except(SMALL, "dcgan", "pix2pix"))
def test_each_model_is_trained_scored_asked_for_pictures_and_scored_again(name: str, data_of: Any, tmp_path: Path) -> None:
    folder, data = tmp_path / "run", data_of(name)
    done = run("train-and-score", name, "--data", data, "--out", folder, *options(name), *COMMON, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert {"fd_tiny", *OWN_SCORES[name]} <= set(report["scores"])

    config = json.loads((folder / "config.json").read_text())
    assert (config["model"], config["preset"], config["seed"]) == (name, "paper", 0)
    steps = [json.loads(line)["step"] for line in (folder / "scores.jsonl").read_text().splitlines()]
    assert steps == [0, 3, 6]
    assert [json.loads(line)["step"] for line in (folder / "losses.jsonl").read_text().splitlines()][-1] == 6
    assert (folder / "samples" / "000006.png").exists()
    assert load_checkpoint(folder / "checkpoints" / "last.pt")["step"] == 6
    assert (folder / "report.html").stat().st_size > 10_000
    final = json.loads((folder / "scores.json").read_text())
    assert next(iter(final["reports"].values()))["scores"] == report["scores"]

    again = run("score", folder, "--json", "--quiet", "--device", "cpu")
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["scores"] == report["scores"]  # the same weights, noise and reals
    (tmp_path / "again.json").write_text(again.stdout)
    compared = run("compare", folder, tmp_path / "again.json")
    assert compared.exit_code == 0, compared.output  # whatever the task's scores, each says what it was made with

    size = SMALL[name][0]
    if load_model(name).task in ("images", "classes"):
        made = run("generate", folder, "-n", 5, "-o", tmp_path / "out", "--quiet")
    else:
        photos = data / "test" / "A" if name == "cyclegan" else data / "test"
        extra = {"stargan": ["--set", "bright=1"], "pix2pix": ["--part", "left"]}.get(name, [])
        made = run("translate", folder, photos, "-o", tmp_path / "out", *extra, "--quiet")
    assert made.exit_code == 0, made.output
    pictures = sorted((tmp_path / "out").rglob("*.png"))
    assert len(pictures) == (5 if load_model(name).task in ("images", "classes") else 24)
    with Image.open(pictures[0]) as picture:
        assert picture.size == (size, size)


def test_a_run_in_two_parts_is_the_run_in_one_and_may_be_made_longer(data_of: Any, tmp_path: Path) -> None:
    common = ["--data", data_of("dcgan"), *options("dcgan"), *COMMON]
    assert run("train", "dcgan", *common, "--out", tmp_path / "whole").exit_code == 0
    # Stopped by a checkpoint at step 4 and a run that is taken to step 4 only.
    short = [text if text != "6" else "4" for text in map(str, common)]
    assert run("train", "dcgan", *short, "--out", tmp_path / "parts").exit_code == 0
    finished = run("train", "dcgan", "--resume", tmp_path / "parts")
    assert finished.exit_code == 1
    assert "finished at step 4" in finished.output
    assert run("train", "dcgan", "--resume", tmp_path / "parts", "--num-steps", "6", "--quiet").exit_code == 0
    whole, parts = (load_checkpoint(tmp_path / name / "checkpoints" / "last.pt") for name in ("whole", "parts"))
    assert all(torch.equal(whole["nets"][key], parts["nets"][key]) for key in whole["nets"])
    assert [json.loads(line)["step"] for line in (tmp_path / "parts" / "scores.jsonl").read_text().splitlines()] == [0, 3, 4, 6]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_a_run_keeps_what_it_has_and_says_how_to_go_on(number: signal.Signals, data_of: Any, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "ganeval", "train", "gan", "--data", str(data_of("gan")), "--out", str(folder), *options("gan")]
    command[command.index("--num-steps") + 1] = "100000000"
    process = subprocess.Popen([*command, *COMMON], stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    while not (folder / "losses.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert f"--resume {folder}" in error
    assert "Traceback" not in error
    step = load_checkpoint(folder / "checkpoints" / "last.pt")["step"]
    assert step > 0
    assert f"{step:,}" in error


# What is refused, and leaves the folder alone


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="session")
def finished(data_of: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("runs") / "gan"
    assert run("train", "gan", "--data", data_of("gan"), "--out", folder, *options("gan"), *COMMON).exit_code == 0
    return folder


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "dcgam"], "did you mean dcgan"),
        (["train", "dcgan", "--data", "cifar"], "cifar10"),
        (["train", "dcgan", "--config", "papr"], "did you mean paper"),
        (["train", "dcgan", "--image-size", "50"], "50"),
        (["train", "dcgan", "--batch-size", "0"], "batch_size must be at least 1"),
        (["train", "dcgan", "--z-dim", "1000000000000"], "dcgan would have 8.2e+15 parameters"),
        (["train", "dcgan", "--g-width", "0"], "g_width must be at least 1"),
        (["train", "dcgan", "--checkpoint", "best"], "give --resume RUN too"),
        (["train", "dcgan", "--lr", "nan"], "lr must be"),
        (["train", "dcgan", "--metrics", "fud"], "fud"),
        (["train", "dcgan", "--extractor", "tinny"], "tinny"),
        (["train", "dcgan", "--device", "cuda:7"], "cuda:7"),
        (["train", "dcgan", "--score-budget", "lots"], "write 5% or 0.05"),
        (["train", "pix2pix", "--lambda-l1", "-1"], "lambda_l1"),
        (["train", "cgan", "--data", "horse2zebra"], "classes"),
        (["train", "gan", "--data", "/nowhere/at/all"], "/nowhere/at/all"),
        (["generate", "/nowhere/at/all", "-o", "x"], "no run folder"),
        (["score", "/nowhere/at/all"], "no run folder"),
    ],
)
def test_what_cannot_be_is_one_clear_sentence(arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = run(*arguments)
    assert refused.exit_code in (1, 2)
    assert says in refused.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "gan", "--out", "RUN"], "exists; continue that run with --resume"),
        (["train", "dcgan", "--resume", "RUN"], "is a run of gan, not of dcgan"),
        (["train", "gan", "--resume", "RUN", "--lr", "0.1"], "was begun with lr = 0.0002"),
        (["train", "gan", "--resume", "RUN", "--data", "mnist"], "was begun with data"),
        (["train", "gan", "--resume", "RUN", "--num-steps", "6"], "finished at step 6"),
        (["train", "gan", "--resume", "RUN", "--num-steps", "3"], "finished at step 6"),
        (["generate", "RUN", "-o", "OUT", "--label", "3"], "knows no classes"),
        (["translate", "RUN", "PHOTOS", "-o", "OUT"], "ganeval generate"),
    ],
)
def test_a_run_folder_is_unharmed_by_what_is_refused(arguments: list[str], says: str, finished: Path, data_of: Any, tmp_path: Path) -> None:
    before = contents(finished)
    places = {"RUN": finished, "OUT": tmp_path / "out", "PHOTOS": data_of("gan") / "test"}
    refused = run(*(places.get(argument, argument) for argument in arguments))
    assert refused.exit_code == 1
    assert says in refused.output
    assert contents(finished) == before
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_cut_in_half_or_of_another_model_is_refused(finished: Path, data_of: Any, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    for name in ("best", "last"):
        file = folder / "checkpoints" / f"{name}.pt"
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    for arguments in (
        ["train", "gan", "--resume", folder, "--num-steps", "9"],
        ["score", folder],
        ["generate", folder, "-o", tmp_path / "out"],
    ):
        before = contents(folder)
        refused = run(*arguments)
        assert refused.exit_code == 1
        assert "damaged" in refused.output
        assert contents(folder) == before
    other = tmp_path / "other"
    assert run("train", "dcgan", "--data", data_of("dcgan"), "--out", other, *options("dcgan"), *COMMON).exit_code == 0
    for name in ("best", "last"):
        shutil.copy(other / "checkpoints" / "last.pt", folder / "checkpoints" / f"{name}.pt")
    refused = run("generate", folder, "-o", tmp_path / "out")
    assert refused.exit_code == 1
    assert "is of the model DCGAN, not of VanillaGAN" in refused.output
    before = contents(folder)
    refused = run("train", "gan", "--resume", folder, "--num-steps", "9")
    assert refused.exit_code == 1
    assert "is of the model DCGAN, not of VanillaGAN" in refused.output
    assert contents(folder) == before


def test_other_pictures_than_the_run_was_begun_with_are_refused(finished: Path, data_of: Any, tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "run"
    shutil.copytree(data_of("gan"), data)
    assert run("train", "gan", "--data", data, "--out", folder, *options("gan"), *COMMON).exit_code == 0
    before = contents(folder)
    (data / "train" / "000.png").unlink()
    refused = run("train", "gan", "--resume", folder, "--num-steps", "9")
    assert "has 39 pictures to train, not the 40 that the run was begun with" in refused.output
    shutil.copy(data / "test" / "000.png", data / "test" / "001.png")
    for arguments in (["train", "gan", "--resume", folder, "--num-steps", "9"], ["score", folder]):
        refused = run(*arguments)
        assert refused.exit_code == 1
        assert "put the same back" in refused.output
    assert contents(folder) == before


def test_a_folder_of_another_program_is_no_run(tmp_path: Path) -> None:
    for content in ('{"architectures": ["UNet"]}', "[1, 2]", "no json"):
        (tmp_path / "config.json").write_text(content)
        for arguments in (["score", tmp_path], ["generate", tmp_path, "-o", tmp_path / "out"], ["train", "gan", "--resume", tmp_path]):
            refused = run(*arguments)
            assert refused.exit_code == 1
            assert "config.json" in refused.output


def test_a_better_checkpoint_than_the_run_remembers_is_not_given_away(finished: Path, tmp_path: Path) -> None:
    """As after a crash between a best score and the next checkpoint."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    for name, best in (("last", 1e9), ("best", -1.0)):
        state = load_checkpoint(folder / "checkpoints" / f"{name}.pt")
        state["overseer"]["best"] = best
        save_checkpoint(folder / "checkpoints" / f"{name}.pt", state)
    before = (folder / "checkpoints" / "best.pt").read_bytes()
    assert run("train", "gan", "--resume", folder, "--num-steps", "9", "--quiet").exit_code == 0
    assert (folder / "checkpoints" / "best.pt").read_bytes() == before
    assert json.loads((folder / "scores.jsonl").read_text().splitlines()[-1])["best"] is False
    longer = run("train", "gan", "--resume", folder, "--num-steps", "10", "--checkpoint", "best", "--quiet")
    assert longer.exit_code == 0, longer.output
    assert load_checkpoint(folder / "checkpoints" / "last.pt")["step"] == 10


@pytest.mark.slow
def test_scores_of_other_fakes_and_checkpoints_stay_beside_each_other(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    for arguments in (
        [],
        ["--metrics", "fid"],
        ["--num-fakes", "20"],
        ["--checkpoint", "last", "--num-fakes", "20"],
        ["--seed", "3", "--num-fakes", "20"],
    ):
        assert run("score", folder, *arguments, "--quiet").exit_code == 0
    reports = json.loads((folder / "scores.json").read_text())["reports"]
    assert len(reports) == 4
    assert [set(report["scores"]) for report in reports.values()] == [{"fd_tiny", "is_tiny"}] * 4  # of those asked for again, both
    assert all(set(report["provenance"]["scores"]) == {"fd_tiny", "is_tiny"} for report in reports.values())


def test_new_pictures_are_not_mixed_with_old_ones(finished: Path, tmp_path: Path) -> None:
    assert run("generate", finished, "-n", 3, "-o", tmp_path / "out").exit_code == 0
    refused = run("generate", finished, "-n", 2, "-o", tmp_path / "out")
    assert refused.exit_code == 1
    assert "is not empty" in refused.output
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_labels_out_of_range_name_those_there_are(data_of: Any, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run("train", "cgan", "--data", data_of("cgan"), "--out", folder, *options("cgan"), *COMMON).exit_code == 0
    refused = run("generate", folder, "-o", tmp_path / "out", "--label", "3")
    assert "there is no label '3'; there are bright, dark, middle, or give a number from 0 to 2" in refused.output
    made = run("generate", folder, "-o", tmp_path / "out", "--label", "dark", "-n", "3")
    assert made.exit_code == 0


def test_a_line_that_a_crash_cut_is_dropped_when_the_run_goes_on(data_of: Any, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run("train", "gan", "--data", data_of("gan"), "--out", folder, *options("gan"), *COMMON).exit_code == 0
    for name in ("losses", "scores"):
        with (folder / f"{name}.jsonl").open("a") as lines:
            lines.write('{"step": 7, "sec')
    assert run("train", "gan", "--resume", folder, "--num-steps", "9", "--quiet").exit_code == 0
    for name in ("losses", "scores"):
        assert [json.loads(line)["step"] for line in (folder / f"{name}.jsonl").read_text().splitlines()][-1] == 9


def test_models_say_their_sizes_options_and_what_a_judge_sees() -> None:
    found = run("models")
    assert found.exit_code == 0
    assert all(name in found.stdout for name in SMALL)
    one = run("models", "pix2pix").stdout
    assert "54,413,955" in one
    assert "70×70" in one  # of the paper's discriminator
    assert "142×142" in one  # of the article's
    assert "lambda_l1" in one
    wrong = run("models", "pix2pics")
    assert wrong.exit_code == 1
    assert "pix2pix" in wrong.stderr


def test_data_to_train_on_are_listed() -> None:
    found = run("data")
    assert found.exit_code == 0
    assert all(name in found.stdout for name in ("shapes", "cifar10", "fashion-mnist", "horse2zebra"))
