"""A store of an old version opens with today's, keeps every row, and shows the same numbers.

``tests/fixtures/old_store/`` is what the code of commit 89cc73b built and showed of it
(``scripts/fixtures/build_old_store.py``). Whatever moves inside, a company that comes from there
must find its numbers again.
"""

from __future__ import annotations

import datetime as dt
import json
import lzma
import sqlite3
from contextlib import closing
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT
from tests.promises.surfaces import Command, read_surfaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FIXTURE = ROOT / "tests" / "fixtures" / "old_store"
EXPECTED: dict[str, Any] = json.loads((FIXTURE / "expected.json").read_text("utf-8"))
READ_AT = dt.datetime.fromisoformat(EXPECTED["read at"])
pytestmark = pytest.mark.xdist_group("old store")  # one worker reads it once
# Numbers that mean something else since, on purpose, and what they are now.
REDEFINED = {
    # Who is in a territory without a rep has no owner either.
    "command line / what a third plan would be / unassigned": 16,
}
# The gravest findings come first.
_TOTALS = {"code": ("territory_without_rep", "markets_overlap"), "severity": ("error", "warning"),
           "subject_kind": ("territory", "market"), "of": (5, 6)}  # fmt: skip
REDEFINED |= {
    f"command line / findings as of now / totals / {column} / {row}": value
    for column, values in _TOTALS.items()
    for row, value in enumerate(values, 2)
}
# Rows of pages likewise. Coverage is open pipeline in markets divided by quota; what is due in a
# period is a share of its quota; beside the findings stands how many accounts there are; no page
# shows the number of a user; notes are no open findings.
_COVERAGE = {
    "67 69 53 79 50 34 51 14 58 7.9 2.0": "67 69 53 79 50 34 51 14 69 6.4 2.3",
    "67 69 53 79 50 34 51 14 58": "67 69 53 79 50 34 51 14 69",
    "6 6 4 67 50 4 67 0 4 1.8 4.4": "6 6 4 67 50 4 67 0 6 1.3 3.2",
    "1 8 2 4 0 4 50 0 0 1 0.8 4": "1 8 2 4 0 4 50 0 0 1 0.8",
    "1 8 2 4 0 4 50 0 0 1 4": "1 8 2 4 0 4 50 0 0 1",
    "4 8 2 4 3 0 0 3 0 1 8": "4 8 2 4 3 0 0 3 0 1 3",
    "1 5 1 3 4 0 0 0 2 0 6": "1 5 1 3 4 0 0 0 2 0 1",
    "4 3 1 1 0 0 0 0 0 0 4": "4 3 1 1 0 0 0 0 0 0 1",
    "6 53 13 25 12 33 62 3 2 5 2.3 5 6": "6 53 13 25 12 33 62 3 2 5 2.3 4 6",
    "6 53 13 25 12 33 62 3 2 5 5 6": "6 53 13 25 12 33 62 3 2 5 4 6",
}
_IMPORTS = {"12 2026 12 01 01 40 1 2 14 10 1 0 3": "12 2026 12 01 01 40 1 14 10 1 0 3"}
_DUE = {
    "2026 12 99 2 1,662 16.8 17.8": "2026 12 99 2 1,662 1679",
    "2026 4 300 2 1,662 5.5 5.9": "2026 4 300 2 1,662 554",
    "2026 1,200 2 1,662 1.4 1.5": "2026 1,200 2 1,662 139",
    "2026 12 132 1 1,250 9.5 9.5": "2026 12 132 1 1,250 947",
    "2026 4 400 1 1,250 3.1 3.1": "2026 4 400 1 1,250 312",
    "2026 1,600 1 1,250 0.8 0.8": "2026 1,600 1 1,250 78",
}
_USERS = {
    f"{number} {row}": row
    for number, row in (
        (1, "2026 12 01 01 40 1"),
        (2, "2026 12 01 01 40 1"),
        (3, "1, 2 2026 12 01 01 40 1"),
        (4, "1 2026 12 01 01 40 1"),
        (5, "2026 12 01 01 40 1"),
        (6, "2026 12 01 01 40 1"),
        (7, "3 2026 12 01 01 40 1"),
    )
}
REDEFINED_ROWS = {"/": _COVERAGE, "/ops/import": _IMPORTS, "profile": _DUE, "users": _USERS}
PARTS = [part for part, value in EXPECTED.items() if isinstance(value, dict)]


def entry() -> Callable[[list[str]], None]:
    """The command as it is installed, wherever its code lives."""
    (point,) = entry_points(group="console_scripts", name="territory")
    command: Callable[[list[str]], None] = point.load()
    return command


def old_store(folder: Path) -> Path:
    """Lay the stores of the old version into a folder."""
    for name in ("store", "homes"):
        packed = (FIXTURE / f"{name}.sqlite.xz").read_bytes()
        (folder / f"{name}.sqlite").write_bytes(lzma.decompress(packed))
    return folder


def read(folder: Path) -> dict[str, Any]:
    """Read what today's version shows, at the moment that the old one was read at."""
    return read_surfaces(entry(), folder, password=EXPECTED["password"], at=READ_AT)


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The old store after today's version has opened and read it, and what that showed."""
    folder = old_store(tmp_path_factory.mktemp("old"))
    return folder, read(folder)


def differences(was: Any, now: Any, where: str) -> Iterator[str]:
    """Name what is gone or another; what is new beside it is no difference."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name, value in was.items():
            yield from differences(value, now.get(name, "nothing"), f"{where} / {name}")
    elif where.startswith("pages / "):
        yield from missing_rows(was, now, where)
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from differences(one, other, f"{where} / {number}")
    elif was != now and REDEFINED.get(where, was) != now:
        yield f"{where}: was {was!r}, is {now!r}"


def missing_rows(was: list[str], now: list[str], where: str) -> Iterator[str]:
    """Name the first row of a page that is gone; rows and numbers may have come in between."""
    rest = iter(now)
    redefined = next((rows for page, rows in REDEFINED_ROWS.items() if where.endswith(page)), {})
    for row in (redefined.get(one, one) for one in was):
        if not any(is_within(row.split(), other.split()) for other in rest):
            yield f"{where}: no row {row!r} any more, in its place, among {now}"
            return


def is_within(few: list[str], many: list[str]) -> bool:
    """Whether all of the few are among the many, in their order."""
    rest = iter(many)
    return all(one in rest for one in few)


@pytest.mark.parametrize("part", PARTS)
def test_an_old_store_shows_what_it_showed(part: str, today: tuple[Path, dict[str, Any]]) -> None:
    found = list(differences(EXPECTED[part], today[1][part], part))
    assert not found, "\n".join(found)


def test_the_old_store_has_rows_in_every_table_so_that_no_migration_goes_untried() -> None:
    tables = EXPECTED["rows per table"]
    assert [name for store in tables.values() for name, rows in store.items() if not rows] == []
    assert len(tables["store"]) > 40


def test_what_the_old_version_showed_was_sound() -> None:
    answers = EXPECTED["command line"]
    verdicts = [one for title, one in answers.items() if title.endswith("decided again")]
    assert EXPECTED["audit log"]["is_intact"]
    assert [one["verified"] for one in verdicts] == [True] * 6
    assert {one["home"] for one in verdicts} == {"held", "purged"}
    assert {"named_account", "retained_customer", "market_of_headquarters", "unassigned"} == {
        one["rule"] for title, one in answers.items() if title.startswith("why ")
    }


def test_the_log_goes_on_from_the_head_that_the_old_version_printed(
    today: tuple[Path, dict[str, Any]],
) -> None:
    command, head = Command(entry(), today[0]), EXPECTED["audit log"]["head"]
    verdict = command("audit", "verify", "--head", head)
    assert verdict["is_intact"]
    assert verdict["events"] > EXPECTED["audit log"]["events"]
    number, _, digest = head.partition(":")
    another = f"{number}:{digest[::-1]}"
    assert not command("audit", "verify", "--head", another)["is_intact"]


def test_an_old_store_gets_the_tables_of_a_new_one(
    today: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    command = Command(entry(), tmp_path)
    command("user", "add", "new@example.com", "--name", "New", "--role", "admin")
    command("eligibility", "purge", "--due")
    for name in ("store.sqlite", "homes.sqlite"):
        assert schema(today[0] / name) == schema(tmp_path / name)
    assert value(today[0], "SELECT version_num FROM alembic_version") == value(
        tmp_path, "SELECT version_num FROM alembic_version"
    )


def schema(path: Path) -> dict[str, list[Any]]:
    """The columns of each table, the indices and the triggers of a database."""
    with closing(sqlite3.connect(path)) as connection:
        kinds = connection.execute("SELECT type, name, tbl_name FROM sqlite_master").fetchall()
        columns: dict[str, list[Any]] = {
            name: sorted(
                connection.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)',
                                   [name])
            )
            for kind, name, _ in kinds
            if kind == "table"
        }  # fmt: skip
    return {**columns, "others": sorted(one for one in kinds if one[0] != "table")}


def value(folder: Path, query: str) -> Any:
    with closing(sqlite3.connect(folder / "store.sqlite")) as connection:
        return connection.execute(query).fetchone()[0]


def change(path: Path, *statements: str) -> None:
    """Change a database behind everybody's back."""
    with closing(sqlite3.connect(path)) as connection:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (name,) in connection.execute(triggers).fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            assert connection.execute(statement).rowcount == 1, statement
        connection.commit()


def test_a_value_that_a_migration_would_lose_or_change_is_told(tmp_path: Path) -> None:
    folder = old_store(tmp_path)
    change(
        folder / "store.sqlite",
        "DELETE FROM contacts WHERE contact_id = 'C-07'",
        "UPDATE opportunities SET amount_usd = 1 WHERE opportunity_id = 'O-33'",
        "UPDATE plan_assignments SET rep_id = 'R2' WHERE plan_id || prospect_id = 'plan-2P-005'",
        "UPDATE audit_events SET action = 'nothing' WHERE number = 5",
        "UPDATE users SET rep_id = 'R2' WHERE login = 'rep@example.com'",
    )
    change(folder / "homes.sqlite", "UPDATE homes SET lon = lon + 0.001 WHERE subject = 'E-2'")
    now = read(folder)
    texts = [text for part in PARTS for text in differences(EXPECTED[part], now[part], part)]
    places = {text.split(": ")[0] for text in texts}
    assert places >= {
        "rows per table / store / contacts",
        "command line / export of contacts / contact_id",
        "command line / export of opportunities / amount_usd / 32",
        "command line / why P-005 is whose / rep_id",
        "audit log / is_intact",
        "command line / users / rep_id / 3",
        "command line / E-2026-000002 decided again / verified",
        "pages / ops",
        "pages / rep",
    }


def test_what_comes_beside_what_was_there_is_no_difference() -> None:
    was = {"": {"rows": 2}, "pages": {"a": ["200", "1 2", "7"]}}
    now = {"": {"rows": 2, "more": 1}, "pages": {"a": ["200", "9", "1 5 2", "7", "8"], "b": ["1"]}}
    assert [text for part in was for text in differences(was[part], now[part], part)] == []


@pytest.mark.parametrize("page", [["200"], ["200", "7", "1 2"], ["200", "2 1", "7"], ["404"]])
def test_a_row_of_a_page_that_is_gone_moved_or_another_is_told(page: list[str]) -> None:
    assert len(list(differences({"a": ["200", "1 2", "7"]}, {"a": page}, "pages"))) == 1
