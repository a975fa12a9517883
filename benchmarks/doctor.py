"""How often the doctor finds a fault that was made, and how often one that was not.

    GANEVAL_DATA=... python benchmarks/doctor.py [--draws 10] [--num 250] [--sets held-out] [--json rates.json]

Each draw takes two disjoint sets of pictures by chance and makes one fault in the second. The thresholds of the checks were chosen on
the sets called `chosen`; rates are reported of those called `held-out`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
import numpy as np
from PIL import Image

from draw_pictures import drawn_picture
from ganeval.doctor.diagnosis import diagnose
from ganeval.images.encoded import EncodedImages, Entry
from pictures import DATA, cifar10_tiles

Picture = Image.Image
Rng = np.random.Generator
Files = dict[str, bytes]
Sides = tuple[Files, Files]  # real, fake
LOADED = 1600  # pictures of a set

# ---- sets

# Photographs of horse2zebra that are there twice: the first two of zebras to the last pixel, the others nearly. Looked at by eye; without
# them a finding in a clean pair is a false one.
TWICE = ("n02391049_1852.jpg", "n02391049_357.jpg", "n02391049_7851.jpg", "n02381460_5355.jpg")


def _archived(name: str, prefix: str = "", *, part: Callable[[Picture], Picture] = lambda one: one) -> Iterator[Picture]:
    assert DATA is not None
    with zipfile.ZipFile(DATA / name) as archive:
        for member in sorted(archive.namelist()):
            if member.startswith(prefix) and member.lower().endswith((".webp", ".jpg", ".png")) and not member.endswith(TWICE):
                with Image.open(io.BytesIO(archive.read(member))) as picture:
                    yield part(picture.convert("RGB"))


def _left(strip: Picture) -> Picture:
    return strip.crop((0, 0, strip.height, strip.height))


def _idx(name: str) -> Iterator[Picture]:
    import lzma

    assert DATA is not None
    with zipfile.ZipFile(DATA / name) as archive:
        images, labels = (
            np.frombuffer(lzma.decompress(archive.read(f"t10k-{kind}-ubyte.xz")), np.uint8) for kind in ("images-idx3", "labels-idx1")
        )
    for pixels, label in zip(images[16:].reshape(-1, 28, 28), labels[8:], strict=True):
        yield _of_class(Image.fromarray(pixels), int(label))


def _of_class(picture: Picture, label: int) -> Picture:
    picture.info["class"] = label
    return picture


CHOSEN: Mapping[str, Callable[[], Iterator[Picture]]] = {
    "drawn": lambda: (drawn_picture(seed) for seed in range(LOADED)),
    "cifar10": lambda: cifar10_tiles(DATA, "cifar10-train-1.strips.zip"),  # type: ignore[arg-type]
    "faces": lambda: _archived("celeba-faces.zip"),
}
HELD_OUT: Mapping[str, Callable[[], Iterator[Picture]]] = {
    "cifar10-test": lambda: (_of_class(tile, i // 1000) for i, tile in enumerate(cifar10_tiles(DATA))),  # type: ignore[arg-type]
    "mnist": lambda: _idx("mnist.idx-xz.zip"),
    "fashion-mnist": lambda: _idx("fashion-mnist.idx-xz.zip"),
    "zebras": lambda: _archived("horse2zebra-128.zip", "trainB"),
    "horses": lambda: _archived("horse2zebra-128.zip", "trainA"),
    "aerial": lambda: _archived("landcover-pairs.zip", part=_left),
}

# ---- faults: two sets → their files

SORTED = "the fakes one class after another"  # told by what the embedded network sees


def encoded(picture: Picture, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def as_png(found: list[Picture]) -> Files:
    return {f"{i:05d}.png": encoded(one) for i, one in enumerate(found)}


def each(change: Callable[[Picture], Picture]) -> Callable[[list[Picture], Rng], Files]:
    return lambda found, rng: as_png([change(one) for one in found])


def some(share: float, change: Callable[[Picture], Picture]) -> Callable[[list[Picture], Rng], Files]:
    return lambda found, rng: as_png([change(one) if i < share * len(found) else one for i, one in enumerate(found)])


def levels(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Picture], Picture]:
    return lambda picture: Image.fromarray(change(np.asarray(picture).astype(np.float64)).astype(np.uint8))


def stretched(x: np.ndarray) -> np.ndarray:
    return np.asarray((x - x.min()) / max(x.max() - x.min(), 1) * 255)


def resized(times: float, kernel: Image.Resampling) -> Callable[[Picture], Picture]:
    return lambda one: one.resize((round(one.width * times), round(one.height * times)), kernel)


def there_and_back(times: float, kernel: Image.Resampling) -> Callable[[Picture], Picture]:
    return lambda one: one.resize((round(one.width / times), round(one.height / times)), Image.Resampling.BICUBIC).resize(one.size, kernel)


def repeated(found: list[Picture], rng: Rng) -> Files:
    return as_png([found[i - 1] if i % 20 == 1 else one for i, one in enumerate(found)])


def edited(one: Picture) -> Picture:
    """Mirrored, rescaled and recompressed."""
    smaller = one.resize((one.width * 7 // 8, one.height * 7 // 8), Image.Resampling.BICUBIC).resize(one.size, Image.Resampling.BICUBIC)
    return Image.open(io.BytesIO(encoded(smaller.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "JPEG", quality=85))).convert(one.mode)


def nearly_repeated(found: list[Picture], rng: Rng) -> Files:
    return as_png([edited(found[i - 1]) if i % 20 == 1 else one for i, one in enumerate(found)])


def jpeg(quality: int, *, as_files: bool) -> Callable[[list[Picture], Rng], Files]:
    def made(found: list[Picture], rng: Rng) -> Files:
        files = {f"{i:05d}.jpg": encoded(one, "JPEG", quality=quality) for i, one in enumerate(found)}
        return files if as_files else as_png([Image.open(io.BytesIO(data)) for data in files.values()])

    return made


def transparent(one: Picture) -> Picture:
    found = one.convert("RGBA")
    found.putalpha(Image.new("L", one.size, 128))
    return found


def rotated(found: list[Picture], rng: Rng) -> Files:
    exif = Image.Exif()
    exif[0x0112] = 6
    return {f"{i:05d}.jpg": encoded(one, "JPEG", quality=95, exif=exif if i % 10 == 0 else Image.Exif()) for i, one in enumerate(found)}


def truncated(found: list[Picture], rng: Rng) -> Files:
    return {name: data[: len(data) // 2] if i % 20 == 1 else data for i, (name, data) in enumerate(as_png(found).items())}


def in_fakes(make: Callable[[list[Picture], Rng], Files]) -> Callable[[list[Picture], list[Picture], Rng], Sides]:
    return lambda real, fake, rng: (as_png(real), make(fake, rng))


def exchanged(real: list[Picture], fake: list[Picture], rng: Rng) -> Sides:
    reals, fakes = as_png(real).values(), as_png(fake).values()
    return {f"seed{i:04d}.png": data for i, data in enumerate(reals)}, {f"img_{i}.png": data for i, data in enumerate(fakes)}


def leaked(change: Callable[[Picture], Picture]) -> Callable[[list[Picture], list[Picture], Rng], Sides]:
    return lambda real, fake, rng: (as_png(real), as_png([change(real[i]) if i % 20 == 1 else one for i, one in enumerate(fake)]))


def two_qualities(real: list[Picture], fake: list[Picture], rng: Rng) -> Sides:
    return jpeg(95, as_files=True)(real, rng), jpeg(75, as_files=True)(fake, rng)


def sorted_by_class(found: list[Picture], rng: Rng) -> Files:
    return as_png(sorted(found, key=lambda one: int(one.info["class"])))


ALONE: Mapping[str, tuple[Callable[[list[Picture], Rng], Files], str]] = {
    "5 % copies within the fakes": (repeated, "duplicates"),
    "5 % mirrored, rescaled, recompressed copies": (nearly_repeated, "near-duplicates"),
    "JPEG files, quality 75": (jpeg(75, as_files=True), "jpeg-against-png"),
    "JPEG files, quality 90": (jpeg(90, as_files=True), "jpeg-against-png"),
    "JPEG of quality 75 saved as PNG": (jpeg(75, as_files=False), "jpeg-against-png"),
    "JPEG of quality 90 saved as PNG": (jpeg(90, as_files=False), "jpeg-against-png"),
    "each stretched to its own min and max": (each(levels(stretched)), "stretched"),
    "[-1, 1] saved as [0, 1], cut off": (each(levels(lambda x: ((x - 127.5) * 2).clip(0, 255))), "clipped"),
    "[0, 1] taken for [-1, 1]": (each(levels(lambda x: 127.5 + x / 2)), "half-range"),
    "[0, 1] cast without × 255": (each(levels(lambda x: x / 255)), "half-range"),
    "overflow: contrast × 1.3, wrapped": (each(levels(lambda x: ((x - 128) * 1.3 + 128) % 256)), "wrapped"),
    "red and blue exchanged": (each(lambda one: Image.fromarray(np.asarray(one.convert("RGB"))[:, :, ::-1])), "swapped-channels"),
    "gray": (each(lambda one: one.convert("L")), "gray-against-color"),
    "10 % gray": (some(0.1, lambda one: one.convert("L")), "gray-against-color"),
    "transparent pixels in 10 %": (some(0.1, transparent), "alpha"),
    "EXIF rotation in 10 %": (rotated, "exif-rotation"),
    "10 % cut to another shape": (some(0.1, lambda one: one.crop((0, 0, one.width, one.height * 3 // 4))), "mixed-shapes"),
    "another resolution, × 2": (each(resized(2, Image.Resampling.BICUBIC)), "resolutions"),
    "another resolution, × 3/4": (each(resized(0.75, Image.Resampling.BICUBIC)), "resolutions"),
    "enlarged × 2, bicubic": (each(there_and_back(2, Image.Resampling.BICUBIC)), "upscaled"),
    "enlarged × 2, bilinear": (each(there_and_back(2, Image.Resampling.BILINEAR)), "upscaled"),
    "enlarged × 2, nearest": (each(there_and_back(2, Image.Resampling.NEAREST)), "repeated-pixels"),
    "2 % blank": (some(0.02, lambda one: Image.new(one.mode, one.size)), "blank"),
    "5 % cut off in the middle of the file": (truncated, "unreadable"),
    SORTED: (sorted_by_class, "class-sorted"),
}
FAULTS: Mapping[str, tuple[Callable[[list[Picture], list[Picture], Rng], Sides], str]] = {
    **{fault: (in_fakes(make), check) for fault, (make, check) in ALONE.items()},
    "5 % of the fakes are reals": (leaked(lambda one: one), "leaks"),
    "5 % of the fakes are edited reals": (leaked(edited), "near-leaks"),
    "JPEGs of quality 95 against 75": (two_qualities, "jpeg-qualities"),
    "sides exchanged (seed0000.png)": (exchanged, "swapped-sides"),
}
COLORED = {"red and blue exchanged", "gray", "10 % gray"}  # faults that gray pictures cannot have
LOSSLESS = {"JPEG of quality 75 saved as PNG", "JPEG of quality 90 saved as PNG", "JPEGs of quality 95 against 75"}  # not told of JPEGs
JPEGS = {"faces", "zebras", "horses"}


def source(files: Files) -> EncodedImages:
    entries = [Entry(name, len(data), lambda data=data: data) for name, data in sorted(files.items())]  # type: ignore[misc]
    return EncodedImages("memory", "folder", entries, None)


def found_in(real: Files, fake: Files, *, measure: bool = False) -> set[str]:
    """The checks that found something, but for the number of images, which is as it is."""
    found = diagnose(source(real), source(fake), measure=measure)
    return {one.check for one in found.findings} - {"few-images"}


@click.command()
@click.option("--draws", default=10, show_default=True, help="Of each fault in each set; of clean pairs, twice as many.")
@click.option("--num", default=250, show_default=True, help="Pictures of each side, or half of a set that has fewer.")
@click.option("--sets", type=click.Choice(["chosen", "held-out"]), default="held-out", show_default=True)
@click.option("--only", default="", help="A part of the name of a set.")
@click.option("--json", "output", type=click.Path(path_type=Path), help="Counts are added to those in this file.")
def main(draws: int, num: int, sets: str, only: str, output: Path | None) -> None:
    detected: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    alarms: Counter[str] = Counter()
    clean = 0
    if output is not None and output.exists():
        before = json.loads(output.read_text())
        detected.update(before["detected"])
        alarms.update(before["alarms"])
        clean = before["clean"]
    for name, load in (CHOSEN if sets == "chosen" else HELD_OUT).items():
        if only not in name:
            continue
        rng = np.random.default_rng(0)
        loaded = list(load())
        loaded = [loaded[i] for i in rng.permutation(len(loaded))[:LOADED]]
        each_side = min(num, len(loaded) // 2)

        def drawn_sides(rng: Rng = rng, loaded: list[Picture] = loaded, each_side: int = each_side) -> tuple[list[Picture], list[Picture]]:
            order = rng.permutation(len(loaded))[: 2 * each_side]
            both = [loaded[i] for i in order]
            return both[:each_side], both[each_side:]

        for _ in range(2 * draws):
            real, fake = drawn_sides()
            found = found_in(as_png(real), as_png(fake), measure=True)
            clean += 1
            alarms.update(found)
            if found:
                click.echo(f"{name}, clean: {found}", err=True)
        for fault, (make, wanted) in FAULTS.items():
            if (fault in COLORED and loaded[0].mode == "L") or (fault in LOSSLESS and name in JPEGS):
                continue
            if fault == SORTED and "class" not in loaded[0].info:
                continue
            hits = 0
            for _ in range(draws):
                real, fake = drawn_sides()
                hits += wanted in found_in(*make(real, fake, rng), measure=fault == SORTED)
            detected[fault][0] += hits
            detected[fault][1] += draws
            click.echo(f"{name}: {fault}: {hits} of {draws}", err=True)
    if output is not None:
        output.write_text(json.dumps({"detected": detected, "alarms": alarms, "clean": clean}))
    click.echo("| fault | check | detected | false alarms |\n| --- | --- | ---: | ---: |")
    for fault, (hits, of) in detected.items():
        check = FAULTS[fault][1]
        click.echo(f"| {fault} | `{check}` | {hits} of {of} | {alarms[check]} of {clean} |")


if __name__ == "__main__":
    main()
