"""ganeval and its peers side by side: one table of ratios.

    python benchmarks/speed.py [ROW ...] [--weights FILE] [--rounds 3] [--json FILE]

Without ROW all that this machine can run; `--list` names them. Both sides of each row get the same pictures and the same weights
file; without `--weights` stand-in weights in the public format are made. Pictures are real ones where $GANEVAL_DATA names a folder
of archives, drawn ones elsewhere. Absolute times mean nothing on a shared machine, ratios do.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from pathlib import Path

import click
import torch

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("tests", "examples")]

from ganeval.cli.tables import print_table
from ganeval.machine import versions
from in_turn import COLUMNS, Compared
from speed_setup import Row, Setup


def rows() -> dict[str, Row]:
    """All by name."""
    import speed_cache
    import speed_commands
    import speed_gpu
    import speed_metrics
    import speed_network
    import speed_processes
    import speed_training

    modules = (speed_commands, speed_network, speed_cache, speed_metrics, speed_processes, speed_training, speed_gpu)
    return {name: row for module in modules for name, row in module.ROWS.items()}


@click.command()
@click.argument("names", nargs=-1, metavar="[ROW]...")
@click.option("--weights", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rounds", default=3, show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the table for programs.")
@click.option("--list", "only_list", is_flag=True, help="Print the names of the rows.")
def main(names: tuple[str, ...], weights: Path | None, rounds: int, json_file: Path | None, only_list: bool) -> None:
    os.environ["GANEVAL_CACHE_SIZE"] = "0"  # rows are of cold runs; those of the cache set it themselves
    table = rows()
    if only_list:
        click.echo("\n".join(table))
        return
    unknown = [name for name in names if name not in table]
    if unknown:
        raise click.UsageError(f"no row is called {unknown[0]}; there are {', '.join(table)}")
    compared: list[Compared] = []
    with tempfile.TemporaryDirectory() as folder:
        setup = Setup(Path(folder), weights, rounds)
        for name in names or (name for name in table if torch.cuda.is_available() or not name.startswith("gpu-")):
            found = table[name](setup)
            compared += found
            if json_file is not None:  # after each row: a long run may be cut off
                about = {
                    "versions": versions(),
                    "threads": torch.get_num_threads(),
                    "processor": platform.processor() or platform.machine(),
                }
                record = {"command": " ".join(sys.argv[1:]), "machine": about, "rows": [one.as_json() for one in compared]}
                json_file.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
            click.echo(f"{name}: {'; '.join(f'{one.ratio:.3g}× {one.against}' for one in found)}", err=True)
    print_table(list(COLUMNS), [one.row() for one in compared])


if __name__ == "__main__":
    main()
