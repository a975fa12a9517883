"""ganeval compare, cite."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ganeval.cli.options import page_options
from ganeval.cli.tables import print_table
from ganeval.errors import InputError

reports_argument = click.argument("reports", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.command()
@reports_argument
@click.option("--metrics", help="Comma-separated keys of the scores to compare.  [default: all that the reports share]")
@click.option("--anyway", is_flag=True, help="Print scores that may not be compared too, each with the reason.")
@page_options
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of the table.")
def compare(reports: tuple[Path, ...], metrics: str | None, anyway: bool, page: Path | None, lang: str, as_json: bool) -> None:
    """Which of several sets of fakes is better, and whether that is more than chance.

    REPORTS are files written with `--json`, or folders of scored runs. Scores that were not made in the same way are refused.
    """
    from ganeval.verdict import load_report, verdicts

    names = _names(reports)
    by_name = {name: load_report(path) for name, path in zip(names, reports, strict=True)}
    found = verdicts(by_name)
    if metrics is not None:
        wanted = [name.strip() for name in metrics.split(",") if name.strip()]
        if unknown := [name for name in wanted if name not in {verdict.key for verdict in found}]:
            raise InputError(f"not all reports have a score called {unknown[0]}; they share {', '.join(one.key for one in found)}")
        found = [verdict for verdict in found if verdict.key in wanted]
    refused = [f"\n  {verdict.key}: {'; '.join(verdict.differences)}" for verdict in found if verdict.differences]
    if refused and not anyway:
        allowed = [verdict.key for verdict in found if not verdict.differences]
        instead = f", compare the others (--metrics {','.join(allowed)})" if allowed else ""
        raise InputError(f"these scores were not made in the same way:{''.join(refused)}\nScore again in one way{instead}, or add --anyway")
    if page is not None:
        from ganeval.pages.compared import write_comparison

        write_comparison(found, by_name, page, lang=lang)
        click.echo(f"page: {page}\n", err=True)
    if as_json:
        values = [
            {
                "key": one.key,
                "scores": {name: {"value": score.value, "error": score.error} for name, score in one.scores.items()},
                "differences": one.differences,
                "best": one.best,
                "second": one.second,
                "p": one.p,
                "paired": one.paired,
                "directed": one.directed,
            }
            for one in found
        ]
        click.echo(json.dumps(values, ensure_ascii=False))
        return
    rows = [[one.key, *(_shown(one.scores[name].value, one.scores[name].error) for name in names), str(one)] for one in found]
    print_table(["score", *names, "verdict"], rows)
    click.echo("\nvalue ± standard error over draws of fakes; p of the best and the second being equal, for each score by itself")


def _names(paths: tuple[Path, ...]) -> list[str]:
    """The shortest ends of the paths that tell them apart.

    Raises:
        InputError: two paths are the same.
    """
    if len({path.resolve() for path in paths}) < len(paths):
        raise InputError("two of the reports are the same file; give different ones")
    from ganeval.pages.page import shortest_ends

    return shortest_ends([str(path.absolute()) for path in paths])


def _shown(value: float, error: float | None) -> str:
    return f"{value:.6g}" if error is None else f"{value:.6g} ± {error:.2g}"


@click.command()
@click.argument("report", type=click.Path(path_type=Path))
def cite(report: Path) -> None:
    """The methods sentence and the BibTeX for exactly what REPORT holds: a file written with `--json`, or the folder of a scored run."""
    from ganeval.citations import bibtex, methods
    from ganeval.verdict import load_report

    found = load_report(report)
    click.echo(f"{methods(found)}\n\n{bibtex(found)}")
