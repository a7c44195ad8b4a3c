"""The desk from the command line: one line per error, numbers at the end, nothing personal told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from territory.cli.main import cli, main
from territory.eligibility import desk
from territory.eligibility.desk import read_offices
from territory.eligibility.desk.decisions import SEARCH_COLUMNS
from territory.errors import NotFoundError
from territory.files import read_table
from territory.store import open_store
from tests.fixtures.eligibility_stores import NOW, add_offices, opened

if TYPE_CHECKING:
    from collections.abc import Callable

OFFICES = Path(__file__).resolve().parents[3] / "data" / "demo" / "offices.csv"
RULE = """
name = "{name}"
version = "{version}"
effective_from = {start}
[[any_of]]
limit = "{limit}"
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command on a store with the offices of the example company and a published policy."""
    monkeypatch.setenv("TERRITORY_STORE", str(tmp_path / "var" / "territory.sqlite"))
    monkeypatch.setenv("TERRITORY_HOMES", str(tmp_path / "var" / "homes.sqlite"))
    monkeypatch.delenv("TERRITORY_ROUTING", raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path, code: int = 0) -> str:
        done = CliRunner().invoke(cli, ["eligibility", *map(str, arguments)])
        assert done.exit_code == code, done.output
        return done.output

    with open_store() as store:
        columns = ["office_id", "name", "lon", "lat"]
        add_offices(store, *read_offices(OFFICES)[columns].to_dict("records"))
    call("policies", "publish", "fifty_miles", "--by", "hr")
    return call


def test_a_decision_is_put_on_record_found_verified_and_outlives_its_home(
    run: Callable[..., str], tmp_path: Path
) -> None:
    told = run("check", "--zip", "80202", "--street", "4711 Quetzalcoatl", "--person", "E-7")
    assert told.startswith("Eligible: 0.6 miles (straight line) from Denver")
    decision_id = told.splitlines()[-1].removeprefix("On record as: ")
    assert run("verify", decision_id).startswith(f"{decision_id} verified")
    listed = run("search", "--person", "E-7")
    assert "1 of 1 decisions." in listed
    assert "0.6" not in listed
    assert "0.6 miles" in run("search", "--exact")
    found = json.loads(run("search", "--json"))
    assert found["total"] == 1
    assert found["decisions"][0]["distance_class"] == "0 to 10 miles"
    assert run("purge", "--person", "E-7").startswith("1 homes purged, 0 still held.")
    again = json.loads(run("verify", decision_id, "--json"))
    assert (again["verified"], again["home"]) == (True, "purged")
    assert run("purge", "--due").startswith("0 homes purged")
    assert run("purge", "--kept-before", "2026-01-01", "--json").count("purged") == 1
    for path in (tmp_path / "var").iterdir():
        assert b"Quetzalcoatl" not in path.read_bytes()


def test_a_search_takes_any_part_of_a_reference(run: Callable[..., str]) -> None:
    for person in ("E-1042", "E-2042", "K-7"):
        run("check", "--zip", "80202", "--person", person)
    for part, total in (("E-1042", 1), ("042", 2), ("e-", 2), ("7", 1), ("9", 0)):
        assert f"{total} of {total} decisions." in run("search", "--person", part), part


def test_a_record_of_the_desk_is_a_file_that_verifies(
    run: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "decision.json"
    told = json.loads(run("check", "--zip", "80202", "--person", "E-7", "--record", file, "--json"))
    assert told["decision_id"].startswith("E-20")
    assert run("verify", file).startswith("Verified")


def test_offices_in_a_file_keep_nothing(run: Callable[..., str], tmp_path: Path) -> None:
    told = run("check", "--zip", "80202", "--person", "Jane Doe", "--offices", OFFICES)
    assert "On record" not in told
    assert not (tmp_path / "var" / "homes.sqlite").exists()
    assert json.loads(run("search", "--json"))["total"] == 0


def test_a_batch_is_put_on_record_exactly_or_in_classes(
    run: Callable[..., str], tmp_path: Path
) -> None:
    source, target = tmp_path / "homes.csv", tmp_path / "out.csv"
    source.write_text("id,zip\nE-1,80202\nE-2,10001\nJane,00000\n")
    told = run("batch", source, target)
    assert told.startswith(
        "3 read: 2 eligible, 0 not eligible, 0 too close to call, 1 cannot be decided"
    )
    assert "3 of 3 rows are on record; 1 of them are not linked to a person" in told
    assert {"distance_mi", "decision_id"} <= set(read_table(target).frame.columns)
    told = json.loads(run("batch", source, target, "--classes", "--json"))
    assert (told["on_record"], told["without_reference"]) == (3, 1)
    found = read_table(target).frame
    assert "distance_mi" not in found.columns
    assert found["distance_class"].iloc[0] == "0 to 10 miles"
    run("batch", source, target, "--classes", "--offices", OFFICES)
    assert "decision_id" not in read_table(target).frame.columns


def test_policies_are_drafted_tried_published_and_listed(
    run: Callable[..., str], tmp_path: Path
) -> None:
    run("check", "--zip", "80134", "--person", "E-1")  # Parker, 20 miles from Denver
    rule = tmp_path / "rule.toml"
    rule.write_text(
        RULE.format(name="fifty-mile-rule", version="2", start="2100-01-01", limit="10mi")
    )
    assert "saved as a draft" in run("policies", "draft", rule)
    told = run("policies", "test", rule)
    assert "eligible  not eligible" in told
    assert "1 of 1 decisions decided again" in told
    assert json.loads(run("policies", "test", rule, "--json"))["counts"][0]["decisions"] == 1
    reasons = [
        json.loads(run("policies", "test", rule, "--json", *exact))["changes"][0]["reason"]
        for exact in ((), ("--exact",))
    ]
    assert reasons[0] == "Not eligible: beyond the 10-mile limit of Denver."
    assert reasons[0] in told
    assert re.search(r"\d+\.\d miles", reasons[1])
    assert re.search(r"\d\.\d", told) is None  # nothing that was measured
    listed = run("policies", "list")
    assert "fifty-mile-rule 2: draft, from 2100-01-01" in listed
    assert "2 versions." in listed
    assert "is published, in force from 2100-01-01" in run("policies", "publish", rule)
    statuses = [version["status"] for version in json.loads(run("policies", "list", "--json"))]
    assert statuses == ["published", "published"]


def test_exceptions_are_granted_listed_and_taken_back(run: Callable[..., str]) -> None:
    far = ("check", "--zip", "80521", "--person", "E-1")  # Fort Collins
    assert run(*far).startswith("Not eligible")
    told = run(
        "exceptions", "grant", "--person", "E-1", "--policy", "fifty-mile-rule",
        "--reason", "hardship", "--approver", "J. Doe", "--until", "2100-01-01",
    )  # fmt: skip
    assert told.startswith("X-1: E-1 under fifty-mile-rule")
    assert "by an exception" in run(*far)
    assert "taken back" in run("exceptions", "revoke", "X-1")
    assert run(*far).startswith("Not eligible")
    assert "1 exceptions." in run("exceptions", "list")
    assert json.loads(run("exceptions", "list", "--json"))[0]["revoked_at"]


def test_a_plan_of_offices_counts_above_the_cell_size(
    run: Callable[..., str], tmp_path: Path
) -> None:
    source, new = tmp_path / "homes.csv", tmp_path / "new.csv"
    lines = [f"E-{at},80202" for at in range(6)] + [f"F-{at},80521" for at in range(7)]
    source.write_text("\n".join(["id,zip", *lines]))
    run("batch", source, tmp_path / "out.csv")
    new.write_text("office_id,name,lat,lon\nFTC,Fort Collins,40.585,-105.084\n")
    told = run("plan", "--close", "DEN", "--open", new)
    assert "gains: 5" in told
    assert "loses: 5" in told
    assert "10 homes held of 13 people" in told
    strict = json.loads(run("plan", "--close", "DEN", "--open", new, "--cell", "7", "--json"))
    assert strict["counts"]["loses"] is None
    assert strict["counts"]["gains"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("purge",),
        ("purge", "--due", "--person", "E-1"),
        ("purge", "--person", "Jane Doe"),
        ("purge", "--kept-before", "soon"),
        ("search", "--decision", "maybe"),
        ("search", "--from", "soon"),
        ("verify", "E-2026-000001"),
        ("check", "--zip", "80202", "--person", "Jane Doe"),
        ("check", "--zip", "80202", "--policy", "nothing"),
        ("check", "--zip", "80202", "--asked-at", "now"),
        ("check", "--zip", "80202", "--routing", "http://127.0.0.1:5000"),
        ("plan", "--close", "XXX"),
        ("policies", "publish", "nowhere.toml"),
        ("exceptions", "revoke", "X-1"),
    ],
    ids=" ".join,
)
def test_bad_input_ends_with_code_2_and_one_line_that_names_nobody(
    run: Callable[..., str], arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["eligibility", *arguments])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert len(told.strip().splitlines()) == 1
    assert "Jane" not in told


def test_tampering_ends_with_code_1(run: Callable[..., str], tmp_path: Path) -> None:
    run("check", "--zip", "80202", "--person", "E-7")
    decision_id = json.loads(run("search", "--json"))["decisions"][0]["decision_id"]
    engine = create_engine(f"sqlite:///{tmp_path}/var/territory.sqlite")
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER eligibility_decisions_UPDATE"))
        connection.execute(text("UPDATE eligibility_decisions SET decision = 'not eligible'"))
    engine.dispose()
    told = run("verify", decision_id, code=1)
    assert "register.decision: is 'not eligible', the record says 'eligible'" in told


COMMANDS = [
    ("policies",), ("policies", "list"), ("policies", "draft"), ("policies", "publish"),
    ("policies", "test"), ("exceptions",), ("exceptions", "list"), ("exceptions", "grant"),
    ("exceptions", "revoke"), ("search",), ("purge",), ("plan",),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_an_example(command: tuple[str, ...]) -> None:
    done = CliRunner().invoke(cli, ["eligibility", *command, "--help"])
    lines = done.output.splitlines()
    at = next(at for at, line in enumerate(lines) if line.strip() in ("Example:", "Examples:"))
    assert lines[at + 1].strip().startswith("territory eligibility")


def test_the_desk_without_a_policy_says_how_to_publish_one(tmp_path: Path) -> None:
    with opened(tmp_path) as here, open_store(str(tmp_path / "other.sqlite")) as empty:
        home = {"postal_code": "80202"}
        with pytest.raises(NotFoundError, match="policies publish"):
            desk.decide_one(empty, here.homes, home, desk.DecisionRequest("hr", NOW))


def test_a_frame_of_nothing_found_has_its_columns(tmp_path: Path) -> None:
    with opened(tmp_path) as here:
        found, total = desk.search_decisions(here.store)
    assert total == 0
    assert isinstance(found, pd.DataFrame)
    assert list(found.columns) == [*SEARCH_COLUMNS, "distance_class"]
