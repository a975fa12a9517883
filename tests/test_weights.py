"""Weights: never an unverified byte, nothing lost, and a clear way on without internet. Downloads run against loopback."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ganeval import InputError
from ganeval.download import download
from ganeval.files import sha256_of, written_at_once
from ganeval.weights import INCEPTION, WEIGHTS, fetch, home_of, import_file, load_state_dict, local_copy
from server import serving

CONTENT = bytes(range(256)) * 20_000  # 5 MB: several chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for every test."""
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.delenv("GANEVAL_MIRROR", raising=False)
    return tmp_path / "home"


def left_over(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}


def test_a_download_is_verified_and_leaves_only_the_file(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        path = download([f"{server.url}/x.pth"], tmp_path / "new/x.pth", sha256=SHA256)
    assert path.read_bytes() == CONTENT
    assert left_over(path.parent) == {"x.pth"}


def test_a_broken_download_is_continued_where_it_broke(tmp_path: Path) -> None:
    target = tmp_path / "x.pth"
    with serving(CONTENT, cut_at=2_000_000) as server:
        with pytest.raises(InputError, match=r"x\.pth could not be downloaded"):
            download([f"{server.url}/x.pth"], target, sha256=SHA256)
        assert left_over(tmp_path) == {"x.pth.part"}
        have = (tmp_path / "x.pth.part").stat().st_size
        assert 0 < have <= 2_000_000
        server.cut_at = None
        assert sha256_of(download([f"{server.url}/x.pth"], target, sha256=SHA256)) == SHA256
    assert server.requests == [None, f"bytes={have}-"]


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without"])
def test_a_wrong_beginning_is_thrown_away_and_fetched_again(ranges: bool, tmp_path: Path) -> None:
    (tmp_path / "x.pth.part").write_bytes(b"?" * 1000)
    with serving(CONTENT, ranges=ranges) as server:
        assert sha256_of(download([f"{server.url}/x.pth"], tmp_path / "x.pth", sha256=SHA256)) == SHA256


def test_a_complete_part_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.pth.part").write_bytes(CONTENT)
    with serving(CONTENT) as server:
        assert sha256_of(download([f"{server.url}/x.pth"], tmp_path / "x.pth", sha256=SHA256)) == SHA256
        assert len(server.requests) == 1


def test_wrong_bytes_are_refused_and_removed(tmp_path: Path) -> None:
    with serving(b"<html>quota exceeded</html>") as server, pytest.raises(InputError, match=f"expected {SHA256}; removed"):
        download([f"{server.url}/x.pth"], tmp_path / "x.pth", sha256=SHA256)
    assert left_over(tmp_path) == set()


def test_the_next_address_is_tried_when_one_fails(tmp_path: Path) -> None:
    with serving(CONTENT, status=404) as gone, serving(CONTENT) as good:
        download([f"{gone.url}/x", "http://127.0.0.1:9/x", f"{good.url}/x"], tmp_path / "x.pth", sha256=SHA256)
    assert len(good.requests) == 1


def test_every_failed_address_is_named_with_its_reason(tmp_path: Path) -> None:
    with serving(CONTENT, status=503) as server, pytest.raises(InputError) as caught:
        download([f"{server.url}/a", "http://127.0.0.1:9/b"], tmp_path / "x.pth", sha256=SHA256)
    assert "/a: 503 Service Unavailable" in str(caught.value)
    assert "9/b: " in str(caught.value)


def _download(url: str, target: str) -> None:
    download([url], Path(target), sha256=SHA256)


def test_writing_a_file_leaves_all_of_it_or_nothing(tmp_path: Path) -> None:
    def write(content: bytes, *, interrupted: bool) -> None:
        with written_at_once(tmp_path / "x") as file:
            file.write(content)
            if interrupted:
                raise KeyboardInterrupt

    write(CONTENT, interrupted=False)
    with pytest.raises(KeyboardInterrupt):
        write(b"half", interrupted=True)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["x"]
    assert (tmp_path / "x").read_bytes() == CONTENT


@pytest.mark.slow
def test_two_processes_that_want_the_same_file_fetch_it_once(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        context = multiprocessing.get_context("spawn")
        both = [context.Process(target=_download, args=(f"{server.url}/x.pth", str(tmp_path / "x.pth"))) for _ in range(2)]
        for process in both:
            process.start()
        for process in both:
            process.join(60)
        assert [process.exitcode for process in both] == [0, 0]
        assert len(server.requests) == 1
    assert sha256_of(tmp_path / "x.pth") == SHA256


def test_without_internet_the_error_says_all_that_is_needed(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("GANEVAL_MIRROR", "http://127.0.0.1:9")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # also where there is internet
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(InputError) as caught:
        fetch(INCEPTION)
    message = str(caught.value)
    for needed in (INCEPTION.filename, INCEPTION.sha256, str(home / "weights"), "ganeval weights import", "--mirror", "--extractor tiny"):
        assert needed in message
    assert not home_of(INCEPTION).exists()


def test_a_mirror_that_has_another_file_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(CONTENT) as server:
        with pytest.raises(InputError, match=f"has sha256 {SHA256}, expected {INCEPTION.sha256}"):
            download([f"{server.url}/{INCEPTION.filename}"], home_of(INCEPTION), sha256=INCEPTION.sha256)
        assert local_copy(INCEPTION) is None


def test_a_damaged_copy_in_the_cache_is_named_and_not_used() -> None:
    home_of(INCEPTION).parent.mkdir(parents=True)
    home_of(INCEPTION).write_bytes(CONTENT)
    with pytest.raises(InputError, match="remove it and fetch it again"):
        fetch(INCEPTION)


def test_a_wrong_file_left_by_another_tool_is_ignored(tmp_path: Path) -> None:
    other = Path.home() / INCEPTION.also_at[0]
    other.parent.mkdir(parents=True)
    other.write_bytes(CONTENT)
    assert local_copy(INCEPTION) is None


def test_importing_takes_only_published_files_whatever_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "renamed.bin"
    file.write_bytes(CONTENT)
    with pytest.raises(InputError, match="of none of the published files"):
        import_file(file)
    published = INCEPTION.__class__(name="x", filename="x.pth", size=len(CONTENT), sha256=SHA256, urls=(), about="")
    monkeypatch.setattr("ganeval.weights.WEIGHTS", {**WEIGHTS, "x": published})
    weights, home = import_file(file)
    assert weights is published
    assert local_copy(published) == home


class Attack:
    """A pickle that runs a command when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch attacked",)


def test_a_pickle_is_not_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"fc.weight": Attack()}, tmp_path / "evil.pth")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(Attack()))
    for name in ("evil.pth", "plain.pkl"):
        with pytest.raises(InputError, match="not a file of weights that can be loaded safely"):
            load_state_dict(tmp_path / name)
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights", CONTENT[:1000]], ids=["empty", "text", "bytes"])
def test_files_that_hold_no_weights_are_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        load_state_dict(tmp_path / name)


def test_a_file_of_something_else_than_a_state_dict_is_refused(tmp_path: Path) -> None:
    torch.save([torch.zeros(3)], tmp_path / "list.pth")
    with pytest.raises(InputError, match="holds a list, not a state dict"):
        load_state_dict(tmp_path / "list.pth")
    with pytest.raises(InputError, match="does not exist"):
        load_state_dict(tmp_path / "none.pth")


def test_both_formats_load_to_the_same_tensors(tmp_path: Path) -> None:
    state = {"a": torch.rand(3), "b": torch.rand(2, 2)}
    torch.save(state, tmp_path / "x.pth")
    save_file(state, tmp_path / "x.safetensors")
    for name in ("x.pth", "x.safetensors"):
        assert all(torch.equal(value, state[key]) for key, value in load_state_dict(tmp_path / name).items())
