"""What is released: a wheel and an sdist, built here, looked into, and installed where there is nothing but their dependencies."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from ganeval.extractors import tiny
from pages import ROOT

VERSION = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)[1]  # type: ignore[index]


def _run(*command: str | Path, **options: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=600, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, and the wheel that is built out of it."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return dist / f"ganeval-{VERSION}-py3-none-any.whl"


@pytest.fixture(scope="module")
def sdist(dist: Path) -> Path:
    return dist / f"ganeval-{VERSION}.tar.gz"


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.slow
def test_the_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    info = f"ganeval-{VERSION}.dist-info"
    names = _names(wheel)
    assert {name.split("/")[0] for name in names} == {"ganeval", "ganeval_models", info}
    code = [ROOT / "ganeval", ROOT / "models" / "ganeval_models"]
    needed = {str(path.relative_to(folder.parent)) for folder in code for path in folder.rglob("*") if path.is_file() and _is_ours(path)}
    needed |= {f"ganeval/{path.relative_to(ROOT)}" for path in (ROOT / "reference_stats").rglob("*") if path.is_file() and _is_ours(path)}
    assert names == needed | {f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")}
    # What is easily forgotten, since no import asks for it.
    assert {f"ganeval/extractors/{Path(tiny.EMBEDDED).name}", "ganeval/py.typed", "ganeval/citations.bib"} <= names
    assert {"ganeval/pages/templates/run.html", "ganeval/pages/languages/vi.json", "ganeval/reference_stats/index.json"} <= names


def _is_ours(path: Path) -> bool:
    return "__pycache__" not in path.parts and path.suffix != ".pyc"


@pytest.mark.slow
def test_the_sdist_builds_the_same_wheel_as_the_repository(wheel: Path, tmp_path: Path) -> None:
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT)
    contents = []
    for path in (wheel, tmp_path / wheel.name):
        with zipfile.ZipFile(path) as archive:
            contents.append({name: archive.read(name) for name in archive.namelist()})
    assert contents[0] == contents[1]


@pytest.mark.slow
def test_the_sdist_has_the_licence_and_neither_tests_nor_caches(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "CITATION.cff", "CHANGELOG.md", "README.md", "pyproject.toml", "PKG-INFO"} <= names
    assert [name for name in names if name.startswith(("tests", "runs", "pictures")) or "cache" in name.split("/")[0]] == []
    assert [name for name in names if not _is_ours(Path(name))] == []


@pytest.mark.slow
def test_the_wheel_scores_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    """Dependencies are those of this environment, by a path: torch is not installed twice."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    bin_folder = home / ("Scripts" if os.name == "nt" else "bin")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"GANEVAL_HOME": str(tmp_path / "home")}
    _run(bin_folder / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, env=env)
    own = Path(_run(bin_folder / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", env=env).strip())
    (own / "dependencies.pth").write_text("\n".join(dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))))
    where = _run(bin_folder / "python", "-c", "import ganeval; print(ganeval.__file__)", env=env, cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(home)
    assert VERSION in _run(bin_folder / "ganeval", "--version", env=env, cwd=tmp_path)
    _run(bin_folder / "python", ROOT / "examples" / "draw_pictures.py", tmp_path / "pictures", "--num", "30", env=env, cwd=tmp_path)
    table = _run(
        bin_folder / "ganeval",
        "fid",
        tmp_path / "pictures" / "real",
        tmp_path / "pictures" / "fake",
        "--extractor",
        "tiny",
        env=env,
        cwd=tmp_path,
    )
    assert "fd_tiny" in table
    assert "dcgan" in _run(bin_folder / "ganeval", "models", env=env, cwd=tmp_path)


def test_the_version_is_the_same_everywhere() -> None:
    citation = dict(re.findall(r"^([\w-]+): (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"cff-version", "message", "title"} <= set(citation)  # what the schema asks for, and "authors", which is a list
    assert citation["version"] == VERSION
    assert f"\n## {VERSION}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_scores_are_the_headline_of_every_version_in_the_changelog() -> None:
    versions = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1:]
    firsts = [re.search(r"^### (.+)$", version, re.MULTILINE) for version in versions]
    assert [first and first[1] for first in firsts] == ["Scores"] * len(versions)
