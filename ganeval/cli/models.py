"""ganeval models, data: what can be trained, on what."""

from __future__ import annotations

from typing import Any

import click

from ganeval.cli.completion import model_names, one_of
from ganeval.cli.tables import print_table

LEARNS = {
    "images": "pictures out of noise",
    "classes": "pictures of a class",
    "pairs": "source to paired target",
    "domains": "one domain to another, and back",
    "attributes": "attributes of a picture, changed",
}


@click.command()
@click.argument("name", required=False, shell_complete=one_of(model_names))
def models(name: str | None) -> None:
    """Models to train; with NAME, that one's configurations and parameter counts."""
    from ganeval.training.models import available, load_model

    if name is None:
        rows = [[key, LEARNS[load_model(key).task], load_model(key).paper] for key in available()]
        print_table(["model", "learns", "paper"], rows)
        click.echo("\n`ganeval models NAME` shows configurations and parameter counts, `ganeval data` what to train on.")
        return
    _show(name, load_model(name))


def _show(name: str, model: Any) -> None:
    from ganeval.training.config import fields_of

    click.echo(f"{name}: {model.paper}")
    click.echo(f"learns {LEARNS[model.task]}; source: {model.__module__}\n")
    presets = model.presets
    print_table(["configuration", "picture", "parameters", "about"], [_preset_row(model, key, preset) for key, preset in presets.items()])
    click.echo()
    rows = []
    for field in fields_of(model.Config):
        values = [getattr(preset.config, field.name) for preset in presets.values()]
        rows.append([field.name, *(str(value) if value != values[0] or i == 0 else "" for i, value in enumerate(values)), field.help])
    print_table(["option", *presets, "what"], rows)
    click.echo("\nAn empty cell is as in the first column. Each is an option of `ganeval train`: z_dim is --z-dim.")


def _preset_row(model: Any, key: str, preset: Any) -> list[str]:
    from ganeval.training.batch import DataSpec

    labels = tuple(str(index) for index in range({"classes": 10, "attributes": 5}.get(model.task, 0)))
    spec = DataSpec(task=model.task, image_size=preset.image_size, channels=preset.channels, label_names=labels)
    color = "gray" if preset.channels == 1 else "color"
    return [key, f"{preset.image_size}×{preset.image_size} {color}", model(preset.config, spec).in_words, preset.about]


@click.command()
def data() -> None:
    """Data sets by name. A folder or .zip of your own goes in the place of a name."""
    from ganeval.training.datasets import names

    print_table(["data", "what", "tasks"], [[name, known.about, ", ".join(known.tasks)] for name, known in names().items()])
