"""What is installed from a wheel is all of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from tests.promises.test_library_docs import examples

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"territory": "territory", "webmap": "webmap", "data": "territory_data"}
BUILT_FROM = ("pyproject.toml", "setup.cfg", "setup.py", "README.md", "LICENSE")
SETUPTOOLS = 77  # as pyproject.toml asks of whoever builds


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a copy: leftovers in build/ would get into it."""
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
    (built,) = wheels.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def packed(wheel: Path) -> frozenset[str]:
    """Names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment in a folder of its own with the wheel in it, beside our dependencies."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "env", symlinks=True)
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:  # what pip does with a wheel of pure Python
        archive.extractall(packages)
    dependencies = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "dependencies.pth").write_text("\n".join(dependencies))
    return folder


def run(folder: Path, script: str) -> str:
    """Run a script in the fresh environment; neither the checkout nor its path is there."""
    python = folder / "env" / "bin" / "python"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TERRITORY_VAR": str(folder)}
    done = subprocess.run(
        [python, "-c", script], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


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


def test_what_is_installed_elsewhere_runs_every_example_of_the_library(elsewhere: Path) -> None:
    script = "\n".join(examples()) + "\nprint(territory.__file__, owned.shape)"
    printed = run(elsewhere, script)
    assert str(elsewhere / "env") in printed
    assert (elsewhere / "owned.html").exists()


def test_what_is_installed_elsewhere_loads_the_demo_and_serves_it(elsewhere: Path) -> None:
    script = """
from importlib import metadata
(command,) = metadata.entry_points(group="console_scripts", name="territory")
main = command.load()
try: main(["--store", "sqlite:///demo.sqlite", "demo"])
except SystemExit as leave: assert not leave.code
try: main(["--help"])
except SystemExit: pass
from pathlib import Path
import webmap
settings = webmap.Settings(store_url="sqlite:///demo.sqlite", var_dir=Path("var"), sign_in=False)
client = webmap.create_app(settings).test_client()
print([client.get(path).status_code for path in ("/", "/markets/M-BAY", "/offices", "/healthz")])
"""
    printed = run(elsewhere, script)
    assert "[200, 200, 200, 200]" in printed
    assert "  serve " in printed
