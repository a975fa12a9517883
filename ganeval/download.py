"""Downloads that survive: resumed, verified, renamed into place at once, safe when two processes want the same file."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganeval.errors import InputError, Notice, printable
from ganeval.files import CHUNK, naming, sha256_of
from ganeval.progress import Progress, silent
from ganeval.zips import is_zip

if TYPE_CHECKING:
    from requests import Response

TIMEOUT_S = 20.0  # to connect, and between two packets
SLOWEST, PATIENCE_S = 1024, 60.0  # bytes a second, over so many seconds: a server that drips is given up, too
MOST = 2**33  # bytes of a file whose size is stated nowhere
ZIPS, GZIP = (".zip", ".npz"), b"\x1f\x8b"


def download(urls: Sequence[str], target: Path, *, sha256: str | None, size: int | None = None, progress: Progress = silent) -> Path:
    """Fetch `target` from the first of `urls` that has it.

    What arrives goes to `<target>.part`, which a later call continues; only bytes of the right sha256 are renamed to `target`.
    `sha256=None` is for files whose publisher states none: the format that their name says is all that can be checked, and it is said so.
    A server cannot send more than `size`, where that is known.

    Raises:
        InputError: no URL gave the file; one line for each says why.
    """
    import filelock

    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with filelock.FileLock(target.with_name(target.name + ".lock")):
        if target.exists():  # another process was first
            return target
        failures = []
        for url in urls:
            try:
                _complete(url, part, sha256, MOST if size is None else size, progress)
            except _Failed as error:
                failures.append(f"\n  {url}: {error}")
                continue
            if sha256 is None:
                warnings.warn(f"{url} is published without a digest, so that {target.name} could not be verified", Notice, stacklevel=2)
            os.replace(part, target)
            return target
    raise InputError(f"{target.name} could not be downloaded:{''.join(failures)}")


class _Failed(Exception):
    """Why one URL did not give the file."""


def _complete(url: str, part: Path, sha256: str | None, most: int, progress: Progress) -> None:
    """Fill `part` from `url` and verify it; bytes that do not verify are removed."""
    if sha256 is None:
        part.unlink(missing_ok=True)  # nothing could tell whether its end fits its beginning
    resumed = part.exists() and part.stat().st_size > 0
    _fill(url, part, most, progress)
    if sha256 is None:
        _check_format(part)
        return
    if sha256_of(part) == sha256:
        return
    if resumed:  # the first part may have come from elsewhere: once more from the start
        part.unlink()
        _fill(url, part, most, progress)
    found = sha256_of(part)
    if found != sha256:
        part.unlink()
        raise _Failed(f"has sha256 {found}, expected {sha256}; removed")


def _check_format(part: Path) -> None:
    """A page that asks for a login has the status of a file, too."""
    with part.open("rb") as file:
        start = file.read(40)
    ending = part.with_suffix("").suffix
    if (ending in ZIPS and is_zip(part)) or (ending == ".gz" and start.startswith(GZIP)):
        return
    part.unlink()
    raise _Failed(
        f"gave something else than a whole {ending} file, it begins with {printable(start.decode('utf-8', 'replace'))!r}; removed"
    )


def _fill(url: str, part: Path, most: int, progress: Progress) -> None:
    import requests
    import urllib3

    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
            if have and response.status_code == requests.codes.requested_range_not_satisfiable:
                return  # nothing after what we have: complete, or wrong, as the digest will tell
            _check_answer(response, ranged=have > 0)
            if response.status_code != requests.codes.partial_content:
                have = 0  # the server sends everything again
            length = response.headers.get("Content-Length", "")
            total = have + int(length) if length.isdecimal() else None
            if total is not None and total > most:
                raise _Failed(f"announces {total:,} bytes, more than the {most:,} that the file may have")
            with naming(part), part.open("ab" if have else "wb") as file, progress(part.stem, total, "bytes") as advance:
                advance(have)
                for chunk in _chunks(response):
                    have += len(chunk)
                    if have > most:
                        file.truncate(0)
                        raise _Failed(f"sends more than the {most:,} bytes that the file may have; removed")
                    file.write(chunk)
                    advance(len(chunk))
            if total is not None and have < total:
                raise _Failed(f"ended after {have:,} of {total:,} bytes; run the same again to continue")
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:  # ValueError: of an odd address
        raise _Failed(_reason(error)) from None


def _check_answer(response: Response, *, ranged: bool) -> None:
    """Refuse what is no file: only these two say that one follows."""
    response.raise_for_status()
    if response.status_code not in ((200, 206) if ranged else (200,)):
        raise _Failed(f"{response.status_code} {response.reason} instead of the file")
    schemes = [one.url.partition(":")[0].lower() for one in (*response.history, response)]
    if schemes != sorted(schemes):  # "http" comes before "https"
        raise _Failed(f"leads from https to {response.url}, where anybody on the way could change the file")


def _chunks(response: Response) -> Iterator[bytes]:
    """Bytes as they come in, as they are: not expanded, whatever encoding the server names."""
    read = getattr(response.raw, "read1", response.raw.read)  # returns with what there is; urllib3 1 waits for all that was asked for
    since, got = time.monotonic(), 0
    while chunk := read(CHUNK):
        yield chunk
        got += len(chunk)
        if (waited := time.monotonic() - since) > PATIENCE_S:
            if got < SLOWEST * waited:
                raise _Failed(f"sent {got:,} bytes in {waited:.0f} s, which is too slow; run the same again to continue")
            since, got = time.monotonic(), 0


def _reason(error: Exception) -> str:
    """The innermost cause in one line; requests wraps it in several layers of addresses."""
    import requests
    import urllib3

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)) or "timed out" in str(error):
        return f"no answer within {TIMEOUT_S:.0f} s"
    text = str(error)
    if "IncompleteRead" in text:
        return "the connection broke off; run the same again to continue"
    if "NameResolutionError" in text or "Failed to resolve" in text:
        return "the host name cannot be resolved; is this machine online?"
    return text.rsplit(": ", 1)[-1].rstrip("')\"") or type(error).__name__
