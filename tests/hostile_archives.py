"""Archives as an attacker would write them: what zipfile and tarfile would never make."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image

BLOCK = tarfile.BLOCKSIZE


def png(level: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (level, 2, 3)).save(file, "PNG")
    return file.getvalue()


PNG = png()


def zip_of(path: Path, members: Mapping[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def link_in_zip(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target.encode()


def zip_that_lies(path: Path, *, size: int, stated: int, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """One of zeros that says it is another size, in both places where a zip says it."""
    zip_of(path, {"x.png": bytes(size)}, method)
    path.write_bytes(path.read_bytes().replace(struct.pack("<L", size), struct.pack("<L", stated)))
    return path


def overlapping_zip(path: Path, *, num: int, size: int) -> Path:
    """One member of zeros that the list of members names many times, by other names each."""
    zip_of(path, {"0000000.png": bytes(size)}, zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    entry = data[start : data.index(b"PK\x05\x06")]
    entries = b"".join(entry.replace(b"0000000.png", b"%07d.png" % index) for index in range(num))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, min(num, 65534), min(num, 65534), len(entries), start, 0)
    path.write_bytes(data[:start] + entries + end)
    return path


def member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


def tar_of(path: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return path


def picture_in_tar(name: str, data: bytes = PNG) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, len(data)), data


def raw_tar(path: Path, *blocks: bytes) -> Path:
    """Blocks as they are, and an end mark."""
    path.write_bytes(b"".join(block.ljust(-(-len(block) // BLOCK) * BLOCK, b"\0") for block in blocks) + bytes(2 * BLOCK))
    return path


def header_of_size(name: str, size: int) -> bytes:
    """With any size, also a negative one, and the right checksum."""
    header = bytearray(member(name).tobuf())
    header[124:136] = (b"\x80" if size >= 0 else b"\xff") + size.to_bytes(11, "big", signed=True)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def nested_headers(kind: bytes, content: bytes, *, times: int) -> bytes:
    header = member("x", len(content), kind).tobuf()
    return (header + content.ljust(BLOCK, b"\0")) * times


def bomb(path: Path, compress: Callable[[bytes], bytes], *, size: int) -> Path:
    """A tar of zeros."""
    path.write_bytes(compress(member("x.png", size).tobuf() + bytes(size) + bytes(2 * BLOCK)))
    return path
