"""Servers of an attacker, and bad ones: never an unverified byte, never a part for the whole, no waiting without end."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import CliRunner
from torchvision import datasets

from ganeval import InputError, download
from ganeval.cli import main
from ganeval.download import download as fetched
from ganeval.errors import Notice
from ganeval.images.vision import named_dataset
from server import serving

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PAGE = b"<!DOCTYPE html><title>Please log in</title><p>\x1b[31m" + b" " * 1000

Handler = BaseHTTPRequestHandler
Answer = Callable[[Handler], None]


def sent(handler: Handler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def announcing(length: str) -> Answer:
    return lambda handler: sent(handler, 200, CONTENT, Content_Length=length)


def status(code: int, body: bytes = CONTENT) -> Answer:
    return lambda handler: sent(handler, code, body, Content_Length=str(len(body)))


def leading_to(location: str) -> Answer:
    return lambda handler: sent(handler, 302, b"", Location=location, Content_Length="0")


def cut_chunks(handler: Handler) -> None:
    """Chunked, and closed in the middle of a chunk."""
    handler.protocol_version = "HTTP/1.1"
    sent(handler, 200, b"ffff\r\n" + CONTENT[:1000], Transfer_Encoding="chunked")
    handler.close_connection = True


def raw(reply: bytes) -> Answer:
    def answer(handler: Handler) -> None:
        handler.wfile.write(reply)
        handler.close_connection = True

    return answer


HOSTILE: dict[str, tuple[Answer, str]] = {
    "a page with the status of a file": (status(200, PAGE), "has sha256 .*; removed"),
    "other bytes of the same length": (status(200, CONTENT[::-1]), "has sha256 .*; removed"),
    "less than announced": (announcing(str(len(CONTENT) + 1000)), "announces|ended after|broke off"),
    "more than announced": (announcing("1000"), "has sha256 .*; removed"),
    "far more than the file may have": (announcing(str(10**12)), "announces 1,000,000,000,000 bytes"),
    "a length that is no number": (lambda handler: sent(handler, 200, CONTENT[::-1], Content_Length="-5"), "has sha256 .*; removed"),
    "another encoding": (lambda handler: sent(handler, 200, CONTENT[:500], Content_Encoding="gzip"), "has sha256 .*; removed"),
    "a chunk that ends early": (cut_chunks, "."),
    "nothing": (status(204, b""), "204"),
    "not modified": (status(304, b""), "304"),
    "a part that nobody asked for": (status(206), "206"),
    "not satisfiable": (status(416), "416"),
    "a redirection to itself": (leading_to("/x"), "30 redirects"),
    "a redirection to a file": (leading_to("file:///etc/passwd"), "."),
    "a redirection to nowhere": (leading_to("http://[::1"), "."),
    "a redirection without an address": (lambda handler: sent(handler, 302, b"", Content_Length="0"), "302"),
    "no HTTP": (raw(b"\0\xff nonsense\r\n\r\n"), "."),
    "headers without end": (raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000), "."),
    "a header without end": (raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000), "."),
    "an empty answer": (raw(b""), "."),
}


@pytest.mark.parametrize(("answer", "why"), HOSTILE.values(), ids=list(HOSTILE))
def test_a_bad_server_gives_no_file_but_a_sentence(answer: Answer, why: str, tmp_path: Path) -> None:
    with (
        serving(CONTENT, answer=answer) as server,
        pytest.raises(InputError, match=f"x.pth could not be downloaded:\n.*/x: .*{why}") as caught,
    ):
        fetched([f"{server.url}/x"], tmp_path / "x.pth", sha256=SHA256, size=len(CONTENT))
    assert not (tmp_path / "x.pth").exists()
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("name", list(HOSTILE))
def test_the_next_address_is_asked_after_a_bad_one(name: str, tmp_path: Path) -> None:
    """And what the bad one left does not harm."""
    with serving(CONTENT, answer=HOSTILE[name][0]) as bad, serving(CONTENT) as good:
        path = fetched([f"{bad.url}/x", f"{good.url}/x"], tmp_path / "x.pth", sha256=SHA256, size=len(CONTENT))
    assert path.read_bytes() == CONTENT


def test_a_stream_without_end_fills_no_disk(tmp_path: Path) -> None:
    most = 0

    def endless(handler: Handler) -> None:
        nonlocal most
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(1000):
                handler.wfile.write(CONTENT)
                most = max([most, *(path.stat().st_size for path in tmp_path.iterdir())])
        except OSError:
            pass

    with serving(CONTENT, answer=endless) as server, pytest.raises(InputError, match=r"sends more than the 512,000 bytes .*; removed"):
        fetched([f"{server.url}/x"], tmp_path / "x.pth", sha256=SHA256, size=len(CONTENT))
    assert most <= len(CONTENT)


@pytest.mark.parametrize("before", [0, 1000], ids=["at once", "in the middle"])
def test_a_server_that_stalls_is_given_up(before: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT_S", 0.3)
    done = threading.Event()

    def stalling(handler: Handler) -> None:
        if before:
            sent(handler, 200, CONTENT[:before], Content_Length=str(len(CONTENT)))
            handler.wfile.flush()
        done.wait(30)

    with serving(CONTENT, answer=stalling) as server:
        with pytest.raises(InputError, match="no answer within 0 s"):
            fetched([f"{server.url}/x"], tmp_path / "x.pth", sha256=SHA256)
        done.set()


def test_a_server_that_drips_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then is no silence."""
    monkeypatch.setattr(download, "PATIENCE_S", 0.3)
    done = threading.Event()

    def dripping(handler: Handler) -> None:
        sent(handler, 200, b"", Content_Length=str(len(CONTENT)))
        for byte in CONTENT:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            if done.wait(0.05):
                return

    with serving(CONTENT, answer=dripping) as server:
        with pytest.raises(InputError, match=r"bytes in .* s, which is too slow"):
            fetched([f"{server.url}/x"], tmp_path / "x.pth", sha256=SHA256)
        done.set()


@pytest.fixture
def certificate(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of this machine, which requests trusts for the length of a test."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes a certificate, is not installed")
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", path.with_name("key"), "-out", path.with_name("cert")], check=True, capture_output=True)
    path.write_bytes(path.with_name("key").read_bytes() + path.with_name("cert").read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path.with_name("cert")))
    return path


def test_a_way_that_leads_out_of_https_is_not_followed(certificate: Path, tmp_path: Path) -> None:
    with serving(CONTENT) as plain, serving(CONTENT, certificate=certificate) as sure:
        assert fetched([f"{sure.url}/x"], tmp_path / "sure", sha256=SHA256).read_bytes() == CONTENT
        sure.answer = leading_to(f"{plain.url}/x")
        with pytest.raises(InputError, match="leads from https to http://"):
            fetched([f"{sure.url}/x"], tmp_path / "x", sha256=SHA256)
        plain.answer = leading_to(f"{sure.url}/y")
        sure.answer = None
        assert fetched([f"{plain.url}/x"], tmp_path / "up", sha256=SHA256).read_bytes() == CONTENT


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with serving(CONTENT, certificate=certificate) as server, pytest.raises(InputError, match="certificate"):
        fetched([f"{server.url}/x"], tmp_path / "x", sha256=SHA256)


# ------------------------------------------------------------------ files without a digest


def packed() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mu.npy", CONTENT)
    return file.getvalue()


@pytest.mark.parametrize("name", ["x.npz", "x.zip", "x.tar.gz"])
@pytest.mark.parametrize("body", [PAGE, packed()[:-30], b""], ids=["a page", "a part", "nothing"])
def test_without_a_digest_a_page_or_a_part_is_not_taken_for_the_file(name: str, body: bytes, tmp_path: Path) -> None:
    with (
        serving(b"", answer=lambda handler: sent(handler, 200, body)) as server,
        pytest.raises(InputError, match="could not be downloaded"),
    ):
        fetched([f"{server.url}/x"], tmp_path / name, sha256=None)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".lock"]


def test_without_a_digest_it_is_said_that_nothing_was_verified(tmp_path: Path) -> None:
    with serving(packed()) as server, pytest.warns(Notice, match=r"published without a digest, so that x\.npz could not be verified"):
        fetched([f"{server.url}/x"], tmp_path / "x.npz", sha256=None)


def test_the_command_ends_with_one_sentence_and_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the published addresses are not asked
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(CONTENT, answer=status(200, PAGE)) as server:
        done = CliRunner().invoke(main, ["weights", "fetch", "inception", "--mirror", server.url, "--quiet"], catch_exceptions=False)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: the weights of inception are not on this machine.")
    assert "Without internet, do one of these:" in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.rglob("*.pth"))


def test_torchvision_is_given_no_other_file_than_it_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANEVAL_HOME", str(tmp_path))
    with serving(PAGE) as server:
        monkeypatch.setattr(datasets.MNIST, "mirrors", [f"{server.url}/"])
        with pytest.raises(InputError, match="torchvision's MNIST could not be downloaded"):
            named_dataset("torchvision:MNIST:test")
        assert server.requests
