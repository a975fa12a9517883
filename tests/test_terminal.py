"""The command line as something to type: examples that run, the Tab key, progress, and what was meant by a name nobody knows."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from ganeval import progress
from ganeval.cli import main
from ganeval.cli.examples import EXAMPLES
from ganeval.cli.train import ModelGroup


def commands(group: click.Group, within: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{within}{name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{within}{name} ")


LEAVES = {path: command for path, command in commands(main) if not isinstance(command, click.Group) or isinstance(command, ModelGroup)}


def test_every_command_has_examples_and_every_example_a_command() -> None:
    assert set(EXAMPLES) == set(LEAVES)


@pytest.mark.parametrize("line", [line.replace("MODEL", "dcgan") for lines in EXAMPLES.values() for line in lines])
def test_every_example_is_a_line_that_the_command_line_understands(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line.split(" > ")[0].removeprefix('eval "$(').removesuffix(')"'))
    assert words.pop(0) == "ganeval"
    for word in words:
        if word.endswith((".npz", ".pth")):  # files that must be there
            Path(word).touch()
    command: click.Command = main
    with click.Context(main) as ctx:
        while isinstance(command, click.Group):
            _, found, words = command.resolve_command(ctx, words)
            assert found is not None
            command = found
        command.make_context(command.name, words, parent=ctx)


def test_help_ends_with_the_examples() -> None:
    for path in ("fid", "stats compute", "train dcgan"):
        shown = CliRunner().invoke(main, [*path.split(), "--help"]).stdout
        lines = EXAMPLES[path.removesuffix(" dcgan")]
        assert shown.rstrip().splitlines()[-len(lines) :] == [f"    {line.replace('MODEL', 'dcgan')}" for line in lines]


@pytest.mark.parametrize(
    ("typed", "last", "expected"),
    [
        ([], "ev", ["evaluate"]),
        (["fid", "a", "b", "--extractor"], "ti", ["tiny"]),
        (["evaluate", "a", "b", "--metrics"], "fid,prec", ["fid,precision"]),
        (["fid"], "tiny/cifar10-te", ["tiny/cifar10-test"]),
        (["fid"], "no-such-stats", ["no-such-stats"]),  # a file, which the shell completes
        (["train"], "cyc", ["cyclegan"]),
        (["train", "dcgan", "--data"], "shap", ["shapes"]),
        (["models"], "st", ["stargan"]),
        (["weights", "path"], "alex", ["alexnet"]),
    ],
    ids=str,
)
def test_the_tab_key_completes_commands_names_and_files(typed: list[str], last: str, expected: list[str]) -> None:
    found = ShellComplete(main, {}, "ganeval", "_GANEVAL_COMPLETE").get_completions(typed, last)
    assert [item.value for item in found] == expected
    assert all((item.type == "file") == (last == "no-such-stats") for item in found)


@pytest.mark.parametrize("shell", ["zsh", "fish"])  # bash is asked for its version by click, and may be missing
def test_completion_prints_the_script_of_a_shell(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = CliRunner().invoke(main, ["completion", shell], prog_name="ganeval")
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    assert asked.stdout == CliRunner().invoke(main, ["completion"], prog_name="ganeval").stdout
    assert f"_GANEVAL_COMPLETE={shell}_complete" in asked.stdout
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert "completion is not known for the shell 'tcsh'" in CliRunner().invoke(main, ["completion"]).stderr


def test_a_log_has_lines_with_rate_and_time_left(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with progress.lines("real images", 400, "images") as advance:
        advance(100)
    assert capsys.readouterr().err == ""  # done before there was anything to say
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    with progress.lines("real images", 400, "images") as advance:
        advance(0)
        advance(100)
        advance(300)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("real images: 100 of 400 images, ")
    assert first.endswith(" left")
    assert second.startswith("real images: 400 of 400 images, ")
    assert second.endswith(", 0:00:00 left")


@pytest.mark.parametrize("name", ["real_dri", "reel_dir"])
def test_a_folder_that_is_not_there_is_guessed(name: str, tmp_path: Path) -> None:
    (tmp_path / "real_dir").mkdir()
    said = CliRunner().invoke(main, ["is", str(tmp_path / name), "--extractor", "tiny"]).stderr
    assert f"{name} does not exist; did you mean {tmp_path / 'real_dir'}? give" in said


def test_names_of_stats_are_guessed() -> None:
    said = CliRunner().invoke(main, ["stats", "fetch", "tiny/cifar10tset"]).stderr
    assert "no reference is called 'tiny/cifar10tset'; did you mean tiny/cifar10-test? `ganeval stats list`" in said


def test_of_several_processes_one_does_what_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    for rank, lines in (("0", True), ("1", False)):
        monkeypatch.setenv("RANK", rank)
        done = CliRunner().invoke(main, ["conventions"])
        assert (done.exit_code, bool(done.stdout)) == (0, lines)
