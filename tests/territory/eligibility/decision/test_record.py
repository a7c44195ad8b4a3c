"""Policies, records and the commands: read with every breach named, verified, tampered with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from pyproj import Geod

from territory.cli.main import cli, main
from territory.eligibility.decision import (
    Person,
    Provenance,
    canonical,
    judge,
    make_record,
    make_records,
    measure,
    parse_record,
    record_text,
    verify,
)
from territory.eligibility.rules import (
    DECISIONS,
    EXAMPLES,
    Criterion,
    EligibilityPolicy,
    GrantedException,
    example,
    parse_eligibility_policy,
    policy_from,
)
from territory.eligibility.rules.policy import Grandfathering
from territory.errors import FileFormatError, PolicyError
from territory.files import read_table
from tests.fixtures.eligibility_drawn import GEOD, TODAY, homes, office, policy

OFFICES = Path(__file__).resolve().parents[4] / "data" / "demo" / "offices.csv"
ADDED = ["decision", "reason", "remedy", "office_id", "office_name", "distance_mi",
         "duration_min", "uncertainty_mi", "policy"]  # fmt: skip


@pytest.fixture
def record() -> dict[str, Any]:
    lon, lat, _ = Geod(ellps="WGS84").fwd(-100.0, 40.0, 30, 50_000)
    homes = pd.DataFrame(
        {"lon": [lon], "lat": [lat], "uncertainty_m": [1609.0], "precision": ["postal"],
         "geocode_source": ["ZIP code"], "person_id": ["E-1"]}
    )  # fmt: skip
    offices = pd.DataFrame(
        {"office_id": ["here"], "name": ["Here"], "lon": [-100.0], "lat": [40.0],
         "opened_on": [None], "closed_on": [None]}
    )  # fmt: skip
    others = GrantedException("E-2", "medical", "J. Doe", "2026-01-01", "2027-01-01")
    policy = EligibilityPolicy("rule", "3", "2026-01-01", (Criterion(50.0),), exceptions=(others,))
    facts = measure(homes, offices, policy, on="2026-11-23")
    return make_record(
        facts, policy, on="2026-11-23", subject="E-1", asked_by="hr", software="x 1",
        asked_at="2026-11-23T10:00:00+00:00", data_vintage="zip_codes 1",
        circumstances={"role": "sales"},
    )  # fmt: skip


def test_a_record_verifies_after_a_round_trip(record: dict[str, Any]) -> None:
    text = record_text(record)
    again = parse_record(text, "record.json")
    assert record_text(again) == text
    assert verify(again) == ()
    assert record["decision"]["decision"] == "eligible"


def test_a_record_tells_nothing_of_other_people_or_of_the_address(record: dict[str, Any]) -> None:
    text = record_text(record)
    assert "medical" not in text
    assert "E-2" not in text
    assert not {"lat", "lon", "street", "postal_code"} & set(text.replace('"', " ").split())


def test_every_kind_of_decision_verifies() -> None:
    people = ["E-1", "E-2", None, None] * 6
    miles = np.array([1.0, 48.0, 49.9, 50.1, 52.0, 90.0] * 4)
    lon, lat, _ = GEOD.fwd(
        np.full(24, -100.0), np.full(24, 40.0), np.arange(24) * 15.0, miles * 1609.344
    )
    drawn = homes(lon, lat, np.repeat([0.0, 5_000.0], 12)).assign(
        person_id=people,
        eligible_since=[None, None, None, "2001-01-01"] * 6,
        role=["sales", "sales", "pilot"] * 8,
    )
    drawn["fault"] = pd.Series([None] * 23 + ["po_box"], dtype=object)
    granted = (
        GrantedException("E-1", "medical", "J. Doe", "2026-01-01", "2027-01-01"),
        GrantedException("E-2", "medical", "J. Doe", "2025-01-01", "2026-01-01"),
    )
    rule = policy(
        Criterion(50.0, roles=("sales",)),
        Criterion(30.0, method="road_distance", roles=("sales",)),
        review_band_m=500.0, exceptions=granted, grandfathering=Grandfathering("2010-01-01"),
    )  # fmt: skip
    facts = measure(drawn, office("here", -100.0, 40.0), rule, on=TODAY)
    roles = [{"role": role} for role in drawn["role"]]
    many = make_records(
        facts, rule, judge(facts, rule),
        [Person(*each) for each in zip(people, roles, strict=True)],
        Provenance("hr", "now", TODAY, "x", "y"),
    )  # fmt: skip
    seen = set()
    for row, (person, together) in enumerate(zip(people, many, strict=True)):
        made = make_record(
            facts, rule, on=TODAY, row=row, subject=person, asked_by="hr", asked_at="now",
            software="x", data_vintage="y", circumstances=roles[row],
        )  # fmt: skip
        assert record_text(made) == record_text(together)
        assert verify(parse_record(record_text(made), "r.json")) == ()
        seen.add((made["decision"]["decision"], made["decision"]["basis"]))
    assert {basis for _, basis in seen} == {
        "distance", "exception", "grandfathering", "location"
    }  # fmt: skip
    assert {decision for decision, _ in seen} == set(DECISIONS)


CHANGES: list[tuple[tuple[str, ...], Any, str]] = [
    (("decision", "decision"), "not eligible", "decision.decision: recorded 'not eligible'"),
    (("decision", "sentence"), "Eligible: sure.", "decision.sentence"),
    (("decision", "office_id"), "there", "decision.office_id"),
    (("facts", "uncertainty_m"), 99_999.0, "decision.decision"),
    (("facts", "geocode_source"), "a map", "decision.geocode_source"),
    (("policy", "version"), "4", "policy.version"),
    (("asked", "by"), "someone else", "asked: was changed"),
    (("asked", "on"), "2020-01-01", "not on 2020-01-01"),
    (("made_with", "data"), "other", "made_with: was changed"),
]


@pytest.mark.parametrize(("path", "value", "named"), CHANGES, ids=lambda v: str(v)[:40])
def test_what_was_tampered_with_is_named(
    record: dict[str, Any], path: tuple[str, str], value: Any, named: str
) -> None:
    record[path[0]][path[1]] = value
    told = verify(record)
    assert any(named in each for each in told), told
    assert any(each.startswith(f"{path[0]}: was changed") for each in told)


def test_a_changed_limit_is_found_in_the_policy_and_in_the_decision(record: dict[str, Any]) -> None:
    record["policy"]["rule"]["any_of"][0]["limit"] = 20.0
    told = verify(record)
    assert any(each.startswith("policy.digest") for each in told)
    assert any(each.startswith("decision.decision") for each in told)


def test_a_criterion_that_was_applied_to_the_wrong_role_is_found(record: dict[str, Any]) -> None:
    record["policy"]["rule"]["any_of"][0]["roles"] = ["pilot"]
    assert any("applies is True" in each and "'sales'" in each for each in verify(record))


def test_a_record_says_where_the_office_was(record: dict[str, Any]) -> None:
    measured = record["facts"]["measures"][0]
    assert (measured["office_lon"], measured["office_lat"]) == (-100.0, 40.0)


def test_an_exception_slipped_into_a_record_is_found(record: dict[str, Any]) -> None:
    exception = GrantedException("E-9", "none", "nobody", "2026-01-01", "2027-01-01")
    record["policy"]["rule"]["exceptions"] = [vars(exception)]
    assert any("exception of E-9: is not for 'E-1'" in each for each in verify(record))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": "other"}', '{"format": "territory eligibility decision 1"}'],
)
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(FileFormatError, match="record"):
        parse_record(text, "r.json")


def test_a_record_with_broken_facts_is_refused(record: dict[str, Any]) -> None:
    record["facts"]["measures"] = []
    with pytest.raises(FileFormatError, match="cannot be decided again"):
        verify(record)


def test_canonical_text_is_sorted_and_exact() -> None:
    assert (
        canonical({"b": 0.1 + 0.2, "a": [None, True]})
        == '{"a":[null,true],"b":0.30000000000000004}'
    )


# --- policies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_read_back_from_their_own_dictionary(name: str) -> None:
    policy = example(name)
    again = policy_from(policy.as_dict(), "again")
    assert again == policy
    assert again.digest == policy.digest


def test_every_breach_of_a_policy_is_named_at_once() -> None:
    text = """
        name = 3
        speed = 1
        effective_until = "soon"
        [[any_of]]
        limit = "50"
        [[any_of]]
        limit = "50min"
        offices = "approved"
        comparison = "near"
        [[exceptions]]
        person_id = "E-1"
    """
    with pytest.raises(PolicyError) as raised:
        parse_eligibility_policy(text, "rule.toml")
    for breach in (
        "rule.toml", "name = 3", "'speed'", "effective_until = 'soon'", "any_of 1: limit = '50'",
        "minutes go with road_time", "a list of approved offices", "comparison = 'near'",
        "exceptions 1: approver is missing", "version is missing", "effective_from is missing",
    ):  # fmt: skip
        assert breach in str(raised.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"any_of": ()}, "at least one criterion"),
        ({"effective_until": "1999-01-01"}, "not after"),
        ({"minimum_precision": "good"}, "minimum_precision"),
        ({"review_band_m": -1.0}, "review_band"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(
    settings: dict[str, Any], message: str
) -> None:
    usual = {"name": "a", "version": "1", "effective_from": "2026-01-01"}
    with pytest.raises(PolicyError, match=message):
        EligibilityPolicy(**{**usual, "any_of": (Criterion(50.0),), **settings})


def test_another_limit_is_another_digest_and_an_exception_is_not() -> None:
    base = EligibilityPolicy("a", "1", "2026-01-01", (Criterion(50.0),))
    other = EligibilityPolicy("a", "1", "2026-01-01", (Criterion(50.5),))
    granted = GrantedException("E-2", "medical", "J. Doe", "2026-01-01", "2027-01-01")
    excepted = EligibilityPolicy("a", "1", "2026-01-01", (Criterion(50.0),), exceptions=(granted,))
    assert base.digest != other.digest
    assert base.digest == excepted.digest


# --- commands ----------------------------------------------------------------------------------


def run(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(cli, ["eligibility", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


def check(*arguments: str | Path) -> str:
    return run("check", *arguments, "--offices", OFFICES, "--on", "2026-11-23")


def test_check_says_verdict_and_remedy() -> None:
    assert check("--zip", "80202").startswith("Eligible: 0.6 miles (straight line) from Denver")
    told = check("--zip", "22199")
    assert told.startswith("Cannot decide: the ZIP code has no area")
    assert "Remedy: Give the latitude and longitude" in told
    far = json.loads(check("--zip", "80202", "--policy", "relocation",
                           "--assigned-office", "NYC", "--json"))  # fmt: skip
    assert (far["decision"], far["office_id"], far["remedy"]) == ("eligible", "NYC", None)


def test_the_same_question_gives_the_same_record_and_it_verifies(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.json", "two.json")]
    for file in files:
        check("--lat", "39.75", "--lon", "-105.01", "--person", "E-1", "--by", "hr",
              "--asked-at", "2026-11-23T10:00:00Z", "--record", file)  # fmt: skip
    assert files[0].read_bytes() == files[1].read_bytes()
    assert "-105.01" not in files[0].read_text()
    assert run("verify", files[0]).startswith("Verified")
    files[1].write_text(files[1].read_text().replace('"decision": "eligible"', '"decision": "no"'))
    told = run("verify", files[1], code=1)
    assert "decision.decision: recorded 'no', the facts say 'eligible'" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--offices", OFFICES),
        ("check", "--zip", "80202", "--offices", "nowhere.csv"),
        ("check", "--zip", "80202", "--offices", OFFICES, "--policy", "nowhere.toml"),
        ("check", "--zip", "80202", "--offices", OFFICES, "--on", "today"),
        ("check", "--zip", "80202", "--offices", OFFICES, "--on", "1999-01-01"),
        ("check", "--zip", "80202", "--offices", OFFICES, "--policy", "area_or_station"),
        ("verify", OFFICES),
        ("verify", "nowhere.json"),
        ("batch", OFFICES, "out.doc", "--offices", OFFICES),
    ],
    ids=lambda a: " ".join(Path(str(part)).name for part in a),
)
def test_bad_input_ends_with_code_2_and_one_line(
    arguments: tuple[str | Path, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["eligibility", *map(str, arguments)])
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_every_row_of_a_batch_comes_back_in_order_with_its_columns(tmp_path: Path) -> None:
    source, target = tmp_path / "homes.csv", tmp_path / "out.csv"
    source.write_text(
        "Employee ID,Home ZIP,State,Decision,Note\n"
        "7,80202,CO,old,first\n"
        "3,1001,MA,,zero lost\n"
        "9,80202,MA,,disagrees\n"
        ",,,,\n"
        "1,00000,,,=cmd|' /C calc'!A0\n"
    )
    told = run("batch", source, target, "--offices", OFFICES, "--on", "2026-11-23")
    assert told.startswith("5 read: 1 eligible, 1 not eligible, 0 too close to call, 3 cannot")
    found = read_table(target).frame
    given = read_table(source).frame
    assert list(found.columns) == [*given.columns, "decision_2", *ADDED[1:]]
    pd.testing.assert_frame_equal(found[given.columns], given)
    assert found["Employee ID"].dropna().tolist() == ["7", "3", "9", "1"]
    decisions = dict(zip(found["Employee ID"], found["decision_2"], strict=True))
    assert decisions["7"] == "eligible"
    assert decisions["3"] == "not eligible"
    assert decisions["9"] == decisions["1"] == "cannot decide"
    undecided = found[found["decision_2"] == "cannot decide"]
    assert undecided["remedy"].notna().all()


def test_a_row_that_cannot_be_read_comes_back_at_its_place(tmp_path: Path) -> None:
    source, target = tmp_path / "homes.csv", tmp_path / "out.csv"
    source.write_text("id,zip\n1,80202\n2,80202,CO,too,many\n3,10118\n")
    run("batch", source, target, "--offices", OFFICES, "--on", "2026-11-23")
    found = read_table(target).frame
    assert found["decision"].tolist()[1] == "cannot decide"
    assert "line 3" in found["reason"][1]
    assert found["id"].iloc[[0, 2]].tolist() == ["1", "3"]


def test_a_sheet_is_decided_as_a_text_file_is(tmp_path: Path) -> None:
    frame = pd.DataFrame({"zip": ["80202", "10001", "00000"]})
    told = []
    for suffix in ("csv", "xlsx"):
        source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
        frame.to_excel(source, index=False) if suffix == "xlsx" else frame.to_csv(
            source, index=False
        )
        run("batch", source, target, "--offices", OFFICES, "--on", "2026-11-23")
        told.append(read_table(target).frame["reason"].tolist())
    assert told[0] == told[1]


@pytest.mark.parametrize("command", [(), ("check",), ("batch",), ("verify",)])
def test_help_shows_an_example(command: tuple[str, ...]) -> None:
    lines = run(*command, "--help").splitlines()
    example = next(at for at, line in enumerate(lines) if line.strip() in ("Example:", "Examples:"))
    assert lines[example + 1].strip().startswith("territory eligibility")


def test_numbers_of_a_record_are_plain(record: dict[str, Any]) -> None:
    assert not any(isinstance(value, np.generic) for value in record["decision"].values())
