"""What is installed from a wheel is all of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"territory": "territory", "webmap": "webmap", "data": "territory_data"}
BUILT_FROM = ("pyproject.toml", "setup.cfg", "setup.py", "README.md", "LICENSE")
SETUPTOOLS = 77  # as pyproject.toml asks of whoever builds


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Names of the files in a wheel, built from a copy: leftovers in build/ would get into it."""
    if int(metadata.version("setuptools").split(".")[0]) < SETUPTOOLS:
        pytest.skip(f"setuptools is older than {SETUPTOOLS}: scripts/setup test")
    source, wheels = (tmp_path_factory.mktemp(name) for name in ("source", "wheels"))
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, source)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--disable-pip-version-check", "--wheel-dir", wheels, source),
        ],
        check=True,
    )
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_wheel_has_every_file_of_every_package(folder: str, packed: frozenset[str]) -> None:
    files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    names = {
        f"{FOLDERS[folder]}/{path.relative_to(ROOT / folder).as_posix()}"
        for path in files
        if "__pycache__" not in path.parts
    }
    assert names
    assert sorted(names - packed) == []


def test_a_wheel_installs_nothing_beside_our_packages(packed: frozenset[str]) -> None:
    tops = {name.split("/")[0] for name in packed}
    assert {name for name in tops if not name.endswith(".dist-info")} == set(FOLDERS.values())
