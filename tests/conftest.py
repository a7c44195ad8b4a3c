"""Fixtures every test may use."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fixtures import databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.store import Store

pytest_plugins = ("tests.fixtures.web",)
ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", help="another folder of cases for tests/promises/cases")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout; tests that need it skip without it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real test data is not at {folder}")
    return folder


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL server that lives as long as the session."""
    with databases.postgresql() as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """The address of an empty PostgreSQL database of the test's own."""
    return databases.database(postgresql_server)


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the demo company; copy it before you change it."""
    from territory import demo as demo_company
    from territory.store import open_store

    path = tmp_path_factory.mktemp("demo") / "demo.sqlite"
    with open_store(str(path)) as store:
        demo_company.load_demo(store, now=datetime(2026, 11, 20, 12, tzinfo=UTC))
    return path


@pytest.fixture
def demo_store(demo_file: Path, tmp_path: Path) -> Iterator[Store]:
    """The demo company in a store of the test's own."""
    from territory.store import open_store

    copy = tmp_path / "store.sqlite"
    shutil.copy(demo_file, copy)
    with open_store(str(copy)) as store:
        yield store
