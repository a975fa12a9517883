"""The page of a training run: one HTML file that needs nothing else, made of what the run left in its folder."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ganeval.errors import InputError, reason
from ganeval.files import MOST_JSON, content
from ganeval.pages.curves import Point, Scale, curve, spans_magnitudes
from ganeval.pages.language import Language, language
from ganeval.pages.page import reach_of, rendered, score, write
from ganeval.shape import NAME, NUMBER, check_shape

Object = dict[str, Any]  # of JSON

MARKED = ("collapse", "nan", "rollback")  # kinds of events that are drawn into the curves
MAX_STRIP = 12  # sample grids between the large ones
SMALL = 400  # pixels of a grid's width, below which its pixels are shown as squares
MAX_BYTES = 7 << 20  # of sample grids; base64 makes 9.3 MiB of them
PNG = b"\x89PNG\r\n\x1a\n"

# What the files must hold for the page to be made; they may hold more. "*" stands for every key.
SCORE = {"value": NUMBER, "spread": NUMBER, "error?": NUMBER}
DATA = {"name": str, "spec": {"task": str, "image_size": int, "channels": int}, "provenance": dict}
RUN = {"model": str, "preset": NAME, "config": dict, "data": DATA, "num_steps": int, "seed": NUMBER, "device": str, "extractor": NAME}
RUN |= {"paper": NAME, "versions": dict, "command": NAME, "lang?": str}
REPORT = {"scores": {"*": SCORE}, "num_real": NUMBER, "num_fake": NUMBER, "extractor": str, "convention": str}
REPORT |= {"provenance": dict, "notes": [str]}
FINAL = {"step": int, "checkpoint": str, "seconds": NUMBER, "reports": {"*": REPORT}}
LOSSES = {"step": int, "seconds": NUMBER, "losses": {"*": NUMBER}}
SCORES = {"step": int, "seconds": NUMBER, "scores": {"*": SCORE}, "diversity": {"*": NUMBER}}
EVENT = {"step": int, "kind": str, "message": str}


def write_page(folder: Path, path: Path | None = None, *, lang: str | None = None) -> Path:
    """`page(folder)`, written to `path`, or to `report.html` in the same folder."""
    return write(path or folder / "report.html", page(folder, lang=lang))


def page(folder: Path, *, lang: str | None = None) -> str:
    """HTML of the run in `folder`, finished or not; the same text for the same files.

    Args:
        lang: of `languages()`; None is the language that the run was begun with.

    Raises:
        InputError: the folder holds no run, a file of it is damaged, or there is no such language.
    """
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} has no config.json; name the folder of a training run")
    run = _object(folder / "config.json", RUN)
    final = _object(folder / "scores.json", FINAL) if (folder / "scores.json").exists() else None
    written = _lines(folder / "scores.jsonl", SCORES)
    losses, scores, events = (
        _by_step(lines) for lines in (_lines(folder / "losses.jsonl", LOSSES), written, _lines(folder / "events.jsonl", EVENT))
    )

    last_step = max((line["step"] for line in losses + scores), default=0)
    best = next((line["step"] for line in reversed(written) if line.get("best")), None)  # each was the best so far
    marks = [line["step"] for line in events if line["kind"] in MARKED]
    code = lang or run.get("lang", "en")
    draw = partial(_curves, last_step=last_step, events=marks, chosen=language(code))
    return rendered(
        "run.html",
        code,
        run=run,
        final=final,
        finished=final is not None or last_step >= run["num_steps"],
        last_step=last_step,
        best=best,
        seconds=max((line.get("seconds") or 0 for line in [*losses, *scores, final or {}]), default=0),
        events=events,
        has_marks=bool(marks),
        score_curves=list(draw(scores, "scores", best=best)),
        diversity_curves=list(draw(scores, "diversity", best=best)),
        loss_curves=list(draw(losses, "losses", best=None)),
        samples=_samples(folder / "samples", best),
    )


def _object(path: Path, shape: Object) -> Object:
    try:
        found: Object = json.loads(content(path, most=MOST_JSON))
        check_shape(found, shape)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {reason(error)}") from None
    return found


def _lines(path: Path, shape: Object) -> list[Object]:
    """The lines of a .jsonl file as they were written; none where there is no file."""
    *whole, rest = content(path, most=MOST_JSON).split(b"\n") if path.exists() else [b""]
    found: list[Object] = []
    for number, text in enumerate([*whole, rest], start=1):
        try:
            line = json.loads(text, parse_constant=lambda name: None)  # NaN and infinities leave gaps
        except (ValueError, RecursionError) as error:
            if number > len(whole):  # what a crash cut off, or nothing, after the last newline
                break
            raise InputError(f"{path}, line {number} is damaged: {reason(error)}") from None
        try:
            check_shape(line, shape)
        except ValueError as error:
            raise InputError(f"{path}, line {number} is damaged: {reason(error)}") from None
        found.append(line)
    return found


def _by_step(lines: Sequence[Object]) -> list[Object]:
    """Of steps that a resumed run took again, what it wrote last."""
    found = {(line["step"], line.get("kind", "")): line for line in lines}  # events of several kinds may happen at one step
    return sorted(found.values(), key=lambda line: int(line["step"]))


def _curves(
    lines: Sequence[Object], field: str, *, last_step: int, best: int | None, events: Sequence[int], chosen: Language
) -> Iterator[Object]:
    """One per name that occurs in `field`, with what stands above and below it; parts of a score ("fd_tiny/cat") have none."""
    titles = {key: title for line in lines for key, title in line.get("titles", {}).items()}
    for name in dict.fromkeys(name for line in lines for name in line[field] if field != "scores" or "/" not in name):
        values = {line["step"]: line[field][name] for line in lines if name in line[field]}
        scores = {step: value if isinstance(value, dict) else {"value": value, "spread": None} for step, value in values.items()}
        points = [Point.of(step, one["value"], reach_of(one)) for step, one in scores.items()]
        first, last = min(scores), max(scores)
        ends = {"value": _score(scores[first]), "step": first, "last_value": _score(scores[last]), "last_step": last}
        label = chosen.filled("{name} by step: {value} at step {step:,}, {last_value} at step {last_step:,}", {"name": name, **ends})
        scale: Scale = "from zero" if field == "diversity" else "log" if spans_magnitudes(points) else "linear"
        yield {
            "name": name,
            "meaning": titles.get(name, ""),
            "svg": curve(points, last_step=last_step, best=best, events=events, scale=scale, label=label),
            "logarithmic": scale == "log",
            "last": _score(scores[last]),
            "best": _score(scores[best]) if best in scores else None,
        }


def _samples(folder: Path, best: int | None) -> Object:
    """Sample grids: the first, the best and the last to be shown large, some between, and how many were left out."""
    paths = {int(path.stem): path for path in folder.glob("*.png") if path.stem.isdecimal()}
    steps = sorted(paths)
    if not steps:
        return {"large": [], "strip": [], "left_out": 0}
    captions: dict[int, list[str]] = {steps[0]: ["first"]}
    if best is not None:
        captions.setdefault(min(steps, key=lambda step: abs(step - best)), []).append("best" if best in paths else "nearest to the best")
    captions.setdefault(steps[-1], []).append("last")
    between = [step for step in steps if step not in captions]
    room = MAX_BYTES - sum(paths[step].stat().st_size for step in captions)
    strip: list[int] = []
    for count in range(1, min(MAX_STRIP, len(between)) + 1):
        chosen = [between[(2 * i + 1) * len(between) // (2 * count)] for i in range(count)]  # the middles of `count` equal parts
        if sum(paths[step].stat().st_size for step in chosen) <= room:
            strip = chosen
    return {
        "large": [_picture(paths[step], step) | {"what": captions[step]} for step in sorted(captions)],
        "strip": [_picture(paths[step], step) for step in strip],
        "left_out": len(between) - len(strip),
    }


def _picture(path: Path, step: int) -> Object:
    png = content(path, most=MAX_BYTES)
    if len(png) < 24 or not png.startswith(PNG):
        raise InputError(f"{path} is no PNG; delete it to have the page without it")
    width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))  # of the IHDR chunk, which is always first
    small = width < SMALL
    return {
        "step": step,
        "width": width,
        "height": height,
        "small": small,
        "data": f"data:image/png;base64,{base64.b64encode(png).decode()}",
    }


def _score(one: Object) -> str:
    return score(one, digits=4)
