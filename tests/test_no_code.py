"""What the source may not call: shells, eval, pickles of others, and readers of archives and YAML that do what a file says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted([*(ROOT / "ganeval").rglob("*.py"), *(ROOT / "models").rglob("*.py")])

FORBIDDEN = {
    *("eval", "exec", "compile", "__import__", "breakpoint"),
    *(f"os.{name}" for name in ("system", "popen", "execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe", "startfile")),
    *("os.spawnl", "os.spawnle", "os.spawnlp", "os.spawnlpe", "os.spawnv", "os.spawnve", "os.spawnvp", "os.spawnvpe"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.load", "marshal.loads", "shelve.open"),
    *("dill.load", "dill.loads", "cloudpickle.load", "cloudpickle.loads", "joblib.load", "pandas.read_pickle"),
    *("yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "numpy.load", "numpy.fromregex", "jsonpickle.decode"),
    *("torch.load", "torch.jit.load", "torch.hub.load", "torch.package.PackageImporter", "torch.utils.model_zoo.load_url"),
    *("shutil.unpack_archive", "tarfile.open", "tempfile.mktemp", "importlib.import_module", "runpy.run_path"),
    *("xml.etree.ElementTree.parse", "xml.etree.ElementTree.fromstring", "xml.dom.minidom.parse"),
}
CALLED = {"zipfile.ZipFile", "zipfile.PyZipFile"}  # which are also the names of types
METHODS = {"extractall", "extract"}  # of whatever object
MODULES = {"code", "pty", "dill", "cloudpickle", "joblib", "yaml", "marshal", "shelve", "pickle", "subprocess"}
ALLOWED = {
    # To find the one place where a pickle of others is opened: of tensors and plain values alone.
    ("ganeval/weights.py", "torch.load"),
    # Programs: a file of a published sha256, and a generator that is trusted in so many words.
    ("ganeval/weights.py", "torch.jit.load"),
    ("ganeval/generators/torchscript.py", "torch.jit.load"),
    # Between processes of one run, over torch.distributed.
    ("ganeval/messages.py", "pickle"),
    ("ganeval/messages.py", "pickle.loads"),
    ("ganeval/messages.py", "pickle.Unpickler"),
    # Which bound what they read.
    ("ganeval/images/tar.py", "tarfile.open"),
    ("ganeval/zips.py", "zipfile.ZipFile"),
    # By names of our own.
    ("ganeval/__init__.py", "importlib.import_module"),
    ("ganeval/optional.py", "importlib.import_module"),
}
# Arguments that must be there, and what they must be.
DEMANDED: dict[str, tuple[str, object]] = {"torch.load": ("weights_only", True), "numpy.lib.format.read_array": ("allow_pickle", False)}
SUSPECT = {"shell": True, "allow_pickle": True, "weights_only": False, "trust_remote_code": True, "autoescape": False, "verify": False}


def full_names(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """`np.lib.format.read_array` → `numpy.lib.format.read_array`; of what is no name, "?"."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ".".join(["?", *parts])
    return ".".join([names.get(node.id, node.id), *parts])


def faults(path: str, text: str) -> Iterator[str]:
    """All that is not allowed in a file."""
    tree = ast.parse(text)
    names = full_names(tree)
    for node in ast.walk(tree):
        where = f"{path}, line {getattr(node, 'lineno', 0)}"
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from (f"{where}: {name}" for name in modules if name.partition(".")[0] in MODULES and (path, name) not in ALLOWED)
        if isinstance(node, (ast.Name, ast.Attribute)):  # called here, or handed to somebody who calls it
            name = dotted(node, names)
            method = node.attr if isinstance(node, ast.Attribute) else ""
            if (name in FORBIDDEN or method in METHODS) and (path, name) not in ALLOWED:
                yield f"{where}: {name}"
            if name.endswith("markupsafe.Markup") and path != "ganeval/pages/page.py":
                yield f"{where}: text that is said to be HTML"
        if isinstance(node, ast.Call):
            if (name := dotted(node.func, names)) in CALLED and (path, name) not in ALLOWED:
                yield f"{where}: {name}"
            given = {word.arg: word.value for word in node.keywords}
            for key, value in SUSPECT.items():
                if isinstance(one := given.get(key), ast.Constant) and one.value is value:
                    yield f"{where}: {key}={value}"
            if (demanded := DEMANDED.get(dotted(node.func, names))) is not None:
                word, wanted = demanded
                if not (isinstance(one := given.get(word), ast.Constant) and one.value is wanted):
                    yield f"{where}: without {word}={wanted}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_source_calls_nothing_that_runs_what_a_file_says(file: Path) -> None:
    assert not list(faults(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")))


def test_every_exception_is_still_needed() -> None:
    for path, name in ALLOWED:
        assert name.rpartition(".")[2] in (ROOT / path).read_text(encoding="utf-8"), (path, name)


def test_templates_say_of_no_text_from_outside_that_it_is_html() -> None:
    """`safe` only after a string of our own; `drawing` only of SVG that we drew."""
    for template in (ROOT / "ganeval/pages/templates").iterdir():
        text = template.read_text(encoding="utf-8")
        assert "autoescape" not in text, template
        for at in [at for at in range(len(text)) if text.startswith("|safe", at)]:
            assert text[at - 1] == "'", f"{template}: {text[at - 60 : at + 5]}"


@pytest.mark.parametrize(
    "line",
    [
        "eval('1')",
        "import os\nos.system('true')",
        "from os import system as run\nrun('true')",
        "import subprocess",
        "f('true', shell=True)",
        "import pickle",
        "import torch\ntorch.load(x)",
        "import torch\ntorch.load(x, weights_only=False)",
        "import torch as t\nmap(t.load, files)",
        "import numpy as np\nnp.load(x)",
        "import numpy as np\nnp.lib.format.read_array(x, allow_pickle=True)",
        "import yaml",
        "archive.extractall(folder)",
        "import tarfile\ntarfile.open(x)",
        "from zipfile import ZipFile\nZipFile(x)",
        "from markupsafe import Markup\nMarkup(name)",
        "import requests\nrequests.get(url, verify=False)",
    ],
)
def test_each_of_them_would_be_found(line: str) -> None:
    assert list(faults("ganeval/x.py", line))
    assert not list(faults("ganeval/x.py", "import json\njson.loads(text)"))
