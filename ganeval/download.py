"""Downloads that survive: resumed, verified, renamed into place at once, safe when two processes want the same file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ganeval.errors import InputError
from ganeval.files import CHUNK, naming, sha256_of
from ganeval.progress import Progress, silent

TIMEOUT_S = 20.0  # to connect, and between two packets


def download(urls: Sequence[str], target: Path, *, sha256: str | None, progress: Progress = silent) -> Path:
    """Fetch `target` from the first of `urls` that has it.

    What arrives goes to `<target>.part`, which a later call continues; only bytes of the right sha256 are renamed to `target`.
    `sha256=None` is for files whose publisher states none.

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
                _complete(url, part, sha256, progress)
            except _Failed as error:
                failures.append(f"\n  {url}: {error}")
                continue
            os.replace(part, target)
            return target
    raise InputError(f"{target.name} could not be downloaded:{''.join(failures)}")


class _Failed(Exception):
    """Why one URL did not give the file."""


def _complete(url: str, part: Path, sha256: str | None, progress: Progress) -> None:
    """Fill `part` from `url` and verify it; bytes that do not verify are removed."""
    if sha256 is None:
        part.unlink(missing_ok=True)  # nothing could tell whether its end fits its beginning
    resumed = part.exists() and part.stat().st_size > 0
    _fill(url, part, progress)
    if sha256 is None or sha256_of(part) == sha256:
        return
    if resumed:  # the first part may have come from elsewhere: once more from the start
        part.unlink()
        _fill(url, part, progress)
    found = sha256_of(part)
    if found != sha256:
        part.unlink()
        raise _Failed(f"has sha256 {found}, expected {sha256}; removed")


def _fill(url: str, part: Path, progress: Progress) -> None:
    import requests

    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                return  # nothing after what we have: complete, or wrong, as the digest will tell
            response.raise_for_status()
            if response.status_code != requests.codes.partial_content:
                have = 0  # the server sends everything again
            length = response.headers.get("Content-Length")
            total = have + int(length) if length else None
            with naming(part), part.open("ab" if have else "wb") as file, progress(part.stem, total, "bytes") as advance:
                advance(have)
                for chunk in response.iter_content(CHUNK):
                    file.write(chunk)
                    advance(len(chunk))
            if total is not None and part.stat().st_size < total:
                raise _Failed(f"ended after {part.stat().st_size:,} of {total:,} bytes; run the same again to continue")
    except requests.RequestException as error:
        raise _Failed(_reason(error)) from None


def _reason(error: Exception) -> str:
    """The innermost cause in one line; requests wraps it in several layers of addresses."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_S:.0f} s"
    text = str(error)
    if "NameResolutionError" in text or "Failed to resolve" in text:
        return "the host name cannot be resolved; is this machine online?"
    return text.rsplit(": ", 1)[-1].rstrip("')\"") or type(error).__name__
