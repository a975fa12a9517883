"""Any bytes, given to each reader of files: a value, or one sentence of an `InputError`; nothing else, in bounded time and memory.

    pip install -e ".[fuzz]"                                   # atheris, a coverage-guided fuzzer
    python benchmarks/fuzz.py --list
    python benchmarks/fuzz.py image --seconds 60               # until a crash, else 60 seconds; the bytes of a crash stay in --out
    python benchmarks/fuzz.py image --replay out/crash-1234    # without atheris

The readers and their first inputs are in readers.py; tests/test_fuzz.py gives the same ones mutations of them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from readers import Target

# Watched for new paths: ours, and the parsers in Python that it calls. Atheris takes "a.b" for all of "a", and torch would take minutes.
INSTRUMENTED = ["ganeval", "PIL", "tarfile", "zipfile"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", nargs="?", help="a reader")
    parser.add_argument("--list", action="store_true", help="the names of the readers")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=10**9, help="at most")
    parser.add_argument("--out", type=Path, default=Path("fuzz-out"), help="where inputs that found new paths and the bytes of a crash go")
    parser.add_argument("--replay", type=Path, help="a file to read once")
    options = parser.parse_args()
    fuzzing = not options.list and options.target is not None and options.replay is None
    if fuzzing:
        import atheris

        with atheris.instrument_imports(include=INSTRUMENTED):
            from readers import TARGETS, outcome
    else:
        from readers import TARGETS, outcome
    if options.list or options.target not in TARGETS:
        print("\n".join(TARGETS))  # noqa: T201
        return
    target = TARGETS[options.target]
    if fuzzing:
        fuzz(target, options.target, options)
        return
    with tempfile.TemporaryDirectory() as folder:
        print(outcome(target, options.replay.read_bytes(), Path(folder)))  # noqa: T201


def fuzz(target: Target, name: str, options: argparse.Namespace) -> None:
    """Ends the process, without cleaning up: what it writes lies in --out."""
    import atheris

    from readers import outcome

    corpus, work = (options.out / name / folder for folder in ("corpus", "work"))
    for made in (corpus, work):
        made.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / str(number)).write_bytes(seed)
    limits = [f"-max_total_time={options.seconds}", f"-runs={options.runs}", "-timeout=30", "-rss_limit_mb=4096", "-max_len=20000"]
    atheris.Setup(
        [sys.argv[0], *limits, f"-artifact_prefix={options.out}/{name}-", "-print_final_stats=1", str(corpus)],
        lambda data: outcome(target, data, work) and None,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
