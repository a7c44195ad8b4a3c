"""The folder of cases, and a store of its own for each test that reads one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from territory.cli import main as cli
from territory.store import open_store
from tests.conftest import ROOT

if TYPE_CHECKING:
    import pandas as pd
    from click.testing import Result


class _Main:
    """What CliRunner needs to run ``main``, exit codes and all."""

    name = "territory"

    def main(self, args: list[str], **_: object) -> None:
        cli.main(args)


@dataclass
class Desk:
    """A store of a test's own, and the command line over it."""

    folder: Path
    cases: Path
    last: Result | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/store.sqlite"

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """Run a command; names of files of the cases and of the test's folder are found."""
        words = [self._path(word) for word in arguments]
        self.last = CliRunner().invoke(_Main(), ["--store", self.url, *words])  # type: ignore[arg-type]
        if code is not None:
            assert self.last.exit_code == code, self.last.output
        return self.last.output

    def read(self, kind: str, name: str, *options: str, code: int | None = 0) -> dict[str, Any]:
        """Import a file; give its report."""
        self.run("import", kind, name, "--json", *options, code=code)
        assert self.last is not None
        report: dict[str, Any] = json.loads(self.last.stdout)
        return report

    def table(self, kind: str) -> pd.DataFrame:
        """Read a kind of rows as the store has them, by their first column."""
        with open_store(self.url) as store, store.read() as transaction:
            rows: pd.DataFrame = transaction.table(kind)
        return rows.set_index(rows.columns[0]).sort_index()

    def write(self, name: str, text: str) -> str:
        """Write a file into the test's folder; give its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def _path(self, word: str) -> str:
        case = self.cases / word
        return str(case) if "." in word and case.is_file() else word


@pytest.fixture(scope="session")
def cases(request: pytest.FixtureRequest) -> Path:
    """The folder of cases: the one in the tests, or the one that was asked for by ``--cases``."""
    given: str | None = request.config.getoption("--cases")
    return Path(given).resolve() if given else ROOT / "tests" / "fixtures" / "cases"


@pytest.fixture
def desk(tmp_path: Path, cases: Path) -> Desk:
    return Desk(tmp_path, cases)


@pytest.fixture
def chicago(desk: Desk) -> Desk:
    """A desk over one office, two reps, one market and one territory."""
    for kind, name in (
        ("offices", "support_office_chicago.csv"),
        ("reps", "support_reps.csv"),
        ("markets", "support_market_chicago.csv"),
        ("territories", "support_territory_chicago.csv"),
    ):
        desk.run("import", kind, name)
    return desk
