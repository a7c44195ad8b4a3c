"""The desk decides, keeps a record that stands, and says what another rule would change."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from sqlalchemy import create_engine, text

from territory.access import audit_log
from territory.eligibility import decision, desk, rules
from territory.eligibility.desk import decide as deciding
from territory.eligibility.homes import open_homes
from territory.eligibility.rules import Criterion, GrantedException, example
from territory.eligibility.rules.policy import Grandfathering
from territory.errors import (
    ColumnError,
    ConflictError,
    InputError,
    NotFoundError,
    PolicyError,
    StoreError,
)
from territory.files import read_table
from tests.fixtures import databases
from tests.fixtures.eligibility_drawn import policy
from tests.fixtures.eligibility_stores import LAT, LON, NOW, add_offices, opened, point

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from territory.eligibility.rules import EligibilityPolicy
    from tests.fixtures.eligibility_stores import Desk


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Desk]:
    with opened(tmp_path) as found:
        yield found


def draft(*any_of: Criterion, **more: Any) -> EligibilityPolicy:
    return policy(*any_of, **{"name": "rule", "version": "2", **more})


def test_a_decision_is_on_record_and_found_again(here: Desk) -> None:
    made = here.decide("E-1", 31.2)
    here.decide("E-2", 70)
    assert made.decision_id == "E-2026-000001"
    assert made.verdict["decision"] == "eligible"
    assert made.kept_until == "2027-02-21"
    found, total = desk.search_decisions(here.store, rules.DecisionFilter(subject="E-1"))
    assert total == 1
    row = found.iloc[0]
    assert (row["decision_id"], row["decided_by"], row["office_name"]) == (
        "E-2026-000001", "hr", "West"
    )  # fmt: skip
    assert row["distance_class"] == made.distance_class == "25 to 50 miles"
    assert row["reason"] == made.reason == "Eligible: within the 50-mile limit of West."
    assert not {"distance_m", "sentence", "record"} & set(found.columns)
    exact, _ = desk.search_decisions(here.store, homes=here.homes)
    assert exact["decision_id"].tolist() == ["E-2026-000002", "E-2026-000001"]
    assert exact["distance_m"].iloc[1] == made.verdict["distance_m"]
    assert "31.2 miles" in exact["reason"].iloc[1]


def test_decisions_are_found_by_verdict_policy_and_date_and_counted_in_all(here: Desk) -> None:
    for at, miles in enumerate((10, 20, 70, 80, 90)):
        here.decide(f"E-{at}", miles, on=f"2026-11-0{at + 1}")

    def ids(**sought: Any) -> list[str]:
        found, total = desk.search_decisions(here.store, rules.DecisionFilter(**sought))
        assert total == len(found)
        return sorted(found["subject"])

    assert ids(decision="eligible") == ["E-0", "E-1"]
    assert ids(decided_from="2026-11-02", decided_until="2026-11-04") == ["E-1", "E-2", "E-3"]
    assert ids(policy_name="rule", policy_version="1", decision="not eligible") == [
        "E-2", "E-3", "E-4"
    ]  # fmt: skip
    assert ids(policy_name="other") == []
    page, total = desk.search_decisions(here.store, offset=1, limit=2)
    assert (page["subject"].tolist(), total) == (["E-3", "E-2"], 5)
    nobody = rules.DecisionFilter(subject="x")
    assert desk.search_decisions(here.store, nobody, homes=here.homes)[0].empty


def test_the_same_question_at_the_same_moment_is_the_same_decision(here: Desk) -> None:
    first, again = here.decide("E-1", 31.2), here.decide("E-1", 31.2)
    later = here.decide("E-1", 31.2, now=NOW + timedelta(seconds=1))
    assert again.decision_id == first.decision_id
    assert again.record == first.record
    assert later.decision_id == "E-2026-000002"
    assert later.record["asked"]["home"] == first.record["asked"]["home"]
    assert here.homes.size() == 1


@pytest.mark.parametrize("person", ["Jane Doe", "jane@example.com", "Jane", "12 Main St", "é1"])
def test_a_person_is_referred_to_and_never_named(here: Desk, person: str) -> None:
    with pytest.raises(InputError, match="no id") as raised:
        here.decide(person, 10)
    assert person not in str(raised.value)
    assert here.homes.size() == 0


def test_without_a_reference_no_address_is_kept(here: Desk) -> None:
    made = here.decide(None, 10)
    assert made.kept_until is None
    assert made.record["asked"]["home"] is None
    assert here.homes.size() == 0
    assert desk.verify_decision(here.store, here.homes, made.decision_id).home == "never kept"
    with pytest.raises(InputError, match="No home is given"):
        desk.decide_one(here.store, here.homes, {"person_id": "E-1"}, here.ask())


# --- verify ---------------------------------------------------------------------------------------


def test_a_decision_verifies_with_its_home_and_from_its_record_alone(here: Desk) -> None:
    made = here.decide("E-1", 49.9999, street="1 Elm St")
    told = desk.verify_decision(here.store, here.homes, made.decision_id)
    assert (told.stands, told.home) == (True, "held")
    assert "measuring again gives the same" in told.sentence
    with pytest.raises(NotFoundError, match="E-2026-000009"):
        desk.verify_decision(here.store, here.homes, "E-2026-000009")


def test_a_home_of_another_store_is_missed(here: Desk, tmp_path: Path) -> None:
    made = here.decide("E-1", 10)
    with open_homes(str(tmp_path / "other.sqlite")) as other:
        told = desk.verify_decision(here.store, other, made.decision_id)
    assert (told.stands, told.home) == (True, "not held")


TAMPERED = {
    "decision": "UPDATE eligibility_decisions SET decision = 'not eligible'",
    "subject": "UPDATE eligibility_decisions SET subject = 'E-9'",
    "policy_version": "UPDATE eligibility_decisions SET policy_version = '7'",
    "decided_by": "UPDATE eligibility_decisions SET decided_by = 'nobody'",
    "record": "UPDATE eligibility_decisions SET record = replace(record, 'within', 'beyond')",
    "facts": """UPDATE eligibility_decisions
        SET record = replace(record, '"class":"10 to 25', '"class":"50 to 75')""",
    "outcome": """UPDATE eligibility_decisions
        SET record = replace(record, '"outcome":"holds"', '"outcome":"fails"')""",
    "policy": "UPDATE eligibility_policies SET digest = 'x', rule = replace(rule, '50.0', '40.0')",
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_what_somebody_changed_in_the_database_is_named(here: Desk, change: str) -> None:
    made = here.decide("E-1", 11)
    engine = create_engine(here.store.url)
    with engine.begin() as connection:
        for table in ("decisions", "policies"):
            connection.execute(text(f"DROP TRIGGER eligibility_{table}_UPDATE"))
        connection.exec_driver_sql(change)
    engine.dispose()
    told = desk.verify_decision(here.store, here.homes, made.decision_id)
    assert not told.stands
    assert "does not stand" in told.sentence


def test_a_home_that_was_moved_afterwards_is_noticed(here: Desk) -> None:
    made = here.decide("E-1", 10)
    engine = create_engine(f"sqlite:///{here.folder}/homes.sqlite")
    for change in ("UPDATE homes SET lon = lon + 0.001", "UPDATE homes SET given = '{}'"):
        with engine.begin() as connection:
            connection.execute(text(change))
        told = desk.verify_decision(here.store, here.homes, made.decision_id)
        assert not told.stands, change
    engine.dispose()


def test_measures_that_were_changed_or_taken_from_the_home_are_noticed(here: Desk) -> None:
    made = here.decide("E-1", 10)
    engine = create_engine(f"sqlite:///{here.folder}/homes.sqlite")
    for change, words in (
        ("UPDATE measures SET measured = replace(measured, 'West', 'East')", "measures: were"),
        ("DELETE FROM measures", "measures: are not with the home"),
    ):
        with engine.begin() as connection:
            connection.execute(text(change))
        told = desk.verify_decision(here.store, here.homes, made.decision_id)
        assert any(each.startswith(words) for each in told.differences)
    engine.dispose()


REFUSED = (
    "UPDATE eligibility_decisions SET decision = 'eligible'",
    "DELETE FROM eligibility_decisions",
    "INSERT OR REPLACE INTO eligibility_decisions SELECT * FROM eligibility_decisions",
    "UPDATE eligibility_policies SET rule = '{}'",
    "DELETE FROM eligibility_policies",
)


@pytest.mark.parametrize("change", REFUSED)
def test_the_database_itself_refuses_to_change_what_was_decided(here: Desk, change: str) -> None:
    here.decide("E-1", 70)
    with pytest.raises((ConflictError, StoreError), match="never changes"), here.store.write() as t:
        t._connection.execute(text(change))


@pytest.mark.postgresql
def test_postgresql_holds_the_register_as_well(postgresql_server: str, tmp_path: Path) -> None:
    from territory.store import open_store

    url, homes_url = (databases.database(postgresql_server) for _ in range(2))
    with open_store(url) as store, open_homes(homes_url) as homes:
        add_offices(store, {"office_id": "west", "name": "West", "lon": LON, "lat": LAT})
        desk.save_policy(store, policy(name="rule"), by="hr", now=NOW)
        desk.publish_policy(store, "rule", "1", by="hr", now=NOW)
        asked = desk.DecisionRequest("hr", NOW)
        made = desk.decide_one(store, homes, {**point(10), "person_id": "E-1"}, asked)
        assert desk.verify_decision(store, homes, made.decision_id).stands
        for change in (REFUSED[0], REFUSED[1], REFUSED[3], REFUSED[4]):
            with pytest.raises(StoreError, match="never changes"), store.write() as transaction:
                transaction._connection.execute(text(change))
        assert desk.search_decisions(store)[1] == 1


# --- rules ----------------------------------------------------------------------------------------


def test_the_version_of_the_day_decides(here: Desk) -> None:
    here.publish(draft(Criterion(20.0), effective_from="2026-12-01"))
    told = [here.decide("E-1", 30, on=day).record for day in ("2026-11-30", "2026-12-01")]
    assert [(r["policy"]["version"], r["decision"]["decision"]) for r in told] == [
        ("1", "eligible"), ("2", "not eligible")
    ]  # fmt: skip
    with pytest.raises(NotFoundError, match="no version holds on 1999-01-01"):
        here.decide("E-1", 30, on="1999-01-01")


def test_nothing_is_decided_by_a_draft(here: Desk) -> None:
    desk.save_policy(here.store, draft(Criterion(1.0)), by="hr", now=NOW)
    assert here.decide("E-1", 30).record["policy"]["version"] == "1"
    statuses = {v.policy.version: v.status for v in desk.policy_versions(here.store, "rule")}
    assert statuses == {"1": "published", "2": "draft"}
    again = desk.save_policy(here.store, draft(Criterion(2.0)), by="hr", now=NOW)
    versions = desk.policy_versions(here.store, "rule")
    assert [version.policy.any_of[0].limit for version in versions] == [50.0, 2.0]
    assert again.status == "draft"


def test_what_is_published_stays_and_history_is_not_rewritten(here: Desk) -> None:
    with pytest.raises(ConflictError, match="never changes"):
        desk.save_policy(here.store, draft(version="1"), by="hr", now=NOW)
    with pytest.raises(ConflictError, match="published already"):
        desk.publish_policy(here.store, "rule", "1", by="hr", now=NOW)
    with pytest.raises(NotFoundError, match="No draft rule 9"):
        desk.publish_policy(here.store, "rule", "9", by="hr", now=NOW)
    here.decide("E-1", 30)
    desk.save_policy(here.store, draft(effective_from="2026-11-23"), by="hr", now=NOW)
    with pytest.raises(ConflictError, match="1 decisions were taken"):
        desk.publish_policy(here.store, "rule", "2", by="hr", now=NOW)


def test_a_policy_published_while_somebody_decides_is_noticed(here: Desk) -> None:
    class Meanwhile:
        name = "roads"

        def routes(self, lon: Any, *_: Any) -> Any:  # asked after the policy was read
            here.publish(draft(Criterion(20.0), effective_from="2026-11-01"))
            return lon * 0 + 1.0, lon * 0 + 1.0

    home = {**point(30), "person_id": "E-1"}
    asked = here.ask(routing=Meanwhile())
    with pytest.raises(ConflictError, match="published meanwhile"):
        desk.decide_one(here.store, here.homes, home, asked)
    assert desk.search_decisions(here.store)[1] == 0


def test_a_clock_without_a_zone_is_refused_before_anything_is_kept(here: Desk) -> None:
    with pytest.raises(InputError):
        here.decide("E-1", 30, now=NOW.replace(tzinfo=None))
    assert here.homes.size() == 0


def test_a_policy_is_named_where_there_are_several(here: Desk) -> None:
    here.publish(draft(Criterion(50.0, comparison="more than"), name="relocation"))
    with pytest.raises(InputError, match="relocation, rule"):
        here.decide("E-1", 30)
    assert here.decide("E-1", 70, policy_name="relocation").verdict["decision"] == "eligible"
    with pytest.raises(NotFoundError, match="No policy x is published; there are relocation, rule"):
        here.decide("E-1", 70, policy_name="x")


def test_exceptions_are_set_end_and_are_taken_back(here: Desk) -> None:
    granted = GrantedException("E-1", "hardship", "J. Doe", "2026-01-01", "2027-01-01")
    entry = desk.set_exception(here.store, "rule", granted, by="hr", now=NOW)
    assert here.decide("E-1", 90).verdict["basis"] == "exception"
    assert here.decide("E-2", 90).verdict["decision"] == "not eligible"
    assert here.decide("E-1", 90, on="2027-01-01").verdict["sentence"].endswith("2027-01-01.")
    back = NOW + timedelta(days=2)
    taken = desk.revoke_exception(here.store, entry.exception_id, by="hr", now=back)
    assert taken.revoked_at == "2026-11-25T10:00:00Z"
    assert here.decide("E-1", 90, on="2026-11-24").verdict["basis"] == "exception"
    gone = here.decide("E-1", 90, on="2026-11-25")
    assert (gone.verdict["decision"], gone.verdict["sentence"][-11:-1]) == (
        "not eligible",
        "2026-11-25",
    )
    assert [each.exception_id for each in desk.exceptions(here.store)] == ["X-1"]
    with pytest.raises(ConflictError, match="already"):
        desk.revoke_exception(here.store, "X-1", by="hr", now=back)
    with pytest.raises(NotFoundError, match="X-7"):
        desk.revoke_exception(here.store, "X-7", by="hr", now=back)
    with pytest.raises(NotFoundError, match="there are rule"):
        desk.set_exception(here.store, "other", granted, by="hr", now=NOW)
    named = dataclasses.replace(granted, person_id="Jane Doe")
    with pytest.raises(InputError, match="no id"):
        desk.set_exception(here.store, "rule", named, by="hr", now=NOW)
    with pytest.raises(PolicyError, match="leave exceptions out"):
        desk.save_policy(here.store, draft(exceptions=(granted,)), by="hr", now=NOW)


def test_an_exception_that_is_taken_back_before_it_begins_never_held(here: Desk) -> None:
    granted = GrantedException("E-1", "hardship", "J. Doe", "2027-01-01", "2027-06-01")
    entry = desk.set_exception(here.store, "rule", granted, by="hr", now=NOW)
    desk.revoke_exception(here.store, entry.exception_id, by="hr", now=NOW)
    assert here.decide("E-1", 90, on="2027-03-01").verdict["decision"] == "not eligible"


def _grandfathered(here: Desk, *until: str) -> None:
    rule = draft(
        Criterion(20.0), effective_from="2027-01-01",
        grandfathering=Grandfathering("2027-01-01", until=until),
    )  # fmt: skip
    here.publish(rule)


def test_an_earlier_decision_stands_until_the_home_changes(here: Desk) -> None:
    here.decide("E-1", 30, street="1 Elm St", on="2026-05-01")
    here.decide("E-2", 30, on="2026-05-01")
    _grandfathered(here, "home")
    stays = here.decide("E-1", 30, street="1 ELM ST", on="2027-02-01")
    assert stays.verdict["basis"] == "grandfathering"
    assert "decided on 2026-05-01" in stays.verdict["sentence"]
    moved = here.decide("E-2", 31, on="2027-02-01")
    assert moved.verdict["decision"] == "not eligible"
    back = here.decide("E-2", 30, on="2027-03-01")
    assert back.verdict["decision"] == "not eligible"  # who moved away and back has moved
    told = here.decide("E-2", 30, on="2027-03-02", home_since="2020-01-01")
    assert told.verdict["basis"] == "grandfathering"
    assert desk.verify_decision(here.store, here.homes, stays.decision_id).stands
    new = here.decide("E-3", 30, on="2027-03-02")
    assert new.verdict["decision"] == "not eligible"


def test_an_earlier_decision_stands_until_the_role_changes(here: Desk) -> None:
    here.decide("E-1", 30, role="sales", on="2026-05-01")
    _grandfathered(here, "home", "role")
    assert (
        here.decide("E-1", 30, role="sales", on="2027-02-01").verdict["basis"] == "grandfathering"
    )
    changed = here.decide("E-1", 30, role="manager", on="2027-02-02")
    assert changed.verdict["decision"] == "not eligible"


def test_an_exception_of_before_is_no_decision_that_stands(here: Desk) -> None:
    granted = GrantedException("E-1", "hardship", "J. Doe", "2026-01-01", "2026-12-01")
    desk.set_exception(here.store, "rule", granted, by="hr", now=NOW)
    assert here.decide("E-1", 90, on="2026-05-01").verdict["decision"] == "eligible"
    _grandfathered(here, "home")
    assert here.decide("E-1", 90, on="2027-02-01").verdict["decision"] == "not eligible"


def test_after_a_purge_nobody_can_tell_whether_the_home_is_the_same(here: Desk) -> None:
    here.decide("E-1", 30, on="2026-05-01")
    _grandfathered(here, "home")
    desk.purge_person(here.store, here.homes, "E-1", by="hr", now=NOW)
    assert here.decide("E-1", 30, on="2027-02-01").verdict["decision"] == "not eligible"
    told = here.decide("E-1", 30, on="2027-02-02", home_since="2020-01-01")
    assert told.verdict["basis"] == "grandfathering"


def test_an_address_that_was_not_understood_is_no_move(here: Desk) -> None:
    here.decide("E-1", 30, on="2026-05-01")
    _grandfathered(here, "home")
    lost = {"postal_code": "00000", "person_id": "E-1"}
    found = desk.decide_one(here.store, here.homes, lost, here.ask(on="2027-01-15"))
    assert found.verdict["decision"] == "cannot decide"
    assert here.decide("E-1", 30, on="2027-02-01").verdict["basis"] == "grandfathering"


# --- what would change ----------------------------------------------------------------------------


def test_a_rule_is_tried_on_past_decisions_before_it_is_saved(here: Desk) -> None:
    here.decide_many({"E-0": 10, "E-1": 30, "E-2": 40}, on="2026-11-01")
    here.decide_many({"E-3": 60, "E-4": 70, None: 30}, on="2026-11-02")  # one about nobody
    desk.purge_person(here.store, here.homes, "E-4", by="hr", now=NOW)
    new = draft(Criterion(35.0), effective_from="2027-01-01")
    told = desk.what_would_change(here.store, here.homes, new, here.ask())
    assert (told.decisions, told.recomputed, told.gone) == (6, 4, 2)
    assert told.counts == {
        ("eligible", "eligible"): 2,
        ("eligible", "not eligible"): 1,
        ("not eligible", "not eligible"): 1,
    }
    row = told.changes.iloc[0]
    assert (len(told.changes), row["subject"], row["was"], row["would_be"]) == (
        1, "E-2", "eligible", "not eligible"
    )  # fmt: skip
    assert "35-mile limit" in row["reason"]
    assert desk.search_decisions(here.store)[1] == 6
    same = desk.what_would_change(here.store, here.homes, policy(name="rule"), here.ask())
    assert (same.recomputed, len(same.changes)) == (4, 0)


def test_trying_a_rule_heeds_exceptions_and_what_was_decided_before(here: Desk) -> None:
    granted = GrantedException("E-1", "hardship", "J. Doe", "2026-01-01", "2027-01-01")
    desk.set_exception(here.store, "rule", granted, by="hr", now=NOW)
    here.decide("E-1", 90)
    here.decide("E-2", 40)
    strict = draft(Criterion(20.0))
    told = desk.what_would_change(here.store, here.homes, strict, here.ask())
    assert told.changes["subject"].tolist() == ["E-2"]
    mild = dataclasses.replace(strict, grandfathering=Grandfathering("2027-01-01"))
    assert desk.what_would_change(here.store, here.homes, mild, here.ask()).changes.empty


def test_a_rule_of_another_name_is_tried_on_the_decisions_that_are_named(here: Desk) -> None:
    here.decide("E-1", 70)
    far = example("relocation")
    nothing = desk.what_would_change(here.store, here.homes, far, here.ask())
    assert (nothing.decisions, nothing.recomputed, len(nothing.changes)) == (0, 0, 0)
    told = desk.what_would_change(here.store, here.homes, far, here.ask(), of_policy="rule")
    assert told.changes["would_be"].tolist() == ["cannot decide"]  # no assigned office was given
    assert json.dumps(told.as_json())


def test_plans_of_offices_count_the_last_decision_of_each_person_once(here: Desk) -> None:
    here.decide_many({f"E-{at}": 100 + at for at in range(8)})  # near nothing
    here.decide_many({f"E-{at}": 10 + at for at in range(8)}, now=NOW + timedelta(hours=1))  # moved
    here.decide_many({f"F-{at}": 240 + at for at in range(6)})
    desk.purge_person(here.store, here.homes, "F-5", by="hr", now=NOW)
    opening = pd.DataFrame([{"office_id": "new", "name": "New", "lon": LON + 4.7, "lat": LAT}])
    told = desk.plan_offices(here.store, here.homes, here.ask(), closing=["west"], opening=opening)
    assert (told.homes, told.subjects) == (10, 14)  # of 13, rounded down to 5
    assert told.counts["loses"] == 5
    assert told.by_office == {"loses": {"west": 5}, "gains": {"new": 5}}
    assert "5 lose it" in told.sentence
    exactly = desk.plan_offices(
        here.store, here.homes, here.ask(), closing=["west"], opening=opening, minimum_cell=1
    )
    assert (exactly.homes, exactly.counts["loses"], exactly.counts["gains"]) == (13, 8, 5)
    strict = desk.plan_offices(
        here.store, here.homes, here.ask(), closing=["west"], opening=opening, minimum_cell=6
    )
    assert strict.counts["gains"] is None
    assert strict.by_office["gains"] == {"new": None}
    with pytest.raises(InputError, match="'nowhere' to close"):
        desk.plan_offices(here.store, here.homes, here.ask(), closing=["nowhere"])


# --- batch and self-check -------------------------------------------------------------------------

ROWS = (
    "Employee ID,Home ZIP,Home State,lat,lon,Note\n"
    "E-1,,,{lat},{lon},first\n"
    "Jane Doe,,,{lat},{lon},a name\n"
    "E-3,00000,,,,unknown\n"
    "E-4,80202,MA,,,disagrees\n"
    ",,,,,\n"
    "E-6,1001,MA,,,zero lost\n"
)


def batch(here: Desk, tmp_path: Path, **more: Any) -> tuple[Any, pd.DataFrame]:
    source, target = tmp_path / "homes.csv", tmp_path / "decided.csv"
    source.write_text(ROWS.format(**point(31.27)))
    report = desk.decide_batch(here.store, here.homes, source, target, here.ask(), **more)
    return report, read_table(target).frame


def test_a_batch_comes_back_whole_with_verdicts_in_classes_and_is_on_record(
    here: Desk, tmp_path: Path
) -> None:
    report, found = batch(here, tmp_path)
    assert list(found.columns) == [
        "Employee ID", "Home ZIP", "Home State", "lat", "lon", "Note", "decision", "reason",
        "remedy", "office_id", "office_name", "distance_class", "policy", "decision_id",
    ]  # fmt: skip
    assert found["decision"].tolist() == [
        "eligible", "eligible", "cannot decide", "cannot decide", "cannot decide", "not eligible"
    ]  # fmt: skip
    assert found.loc[found["decision"] == "cannot decide", "remedy"].notna().all()
    assert found["distance_class"].iloc[0] == "25 to 50 miles"
    assert "31.2" not in " ".join(found["reason"])
    assert (report.on_record, report.without_reference) == (6, 2)
    assert report.report.read == 6
    assert desk.search_decisions(here.store)[1] == 6
    for decision_id in found["decision_id"]:
        assert desk.verify_decision(here.store, here.homes, decision_id).stands
    assert sorted(desk.search_decisions(here.store)[0]["subject"].dropna()) == [
        "E-1", "E-3", "E-4", "E-6"
    ]  # fmt: skip
    assert here.homes.size() == 4
    assert "Jane" not in "".join(desk.search_decisions(here.store)[0].to_csv())


def test_a_batch_for_hr_has_distances(here: Desk, tmp_path: Path) -> None:
    _, found = batch(here, tmp_path, is_exact=True)
    assert float(found["distance_mi"].iloc[0]) == pytest.approx(31.27)
    assert "31.3 miles" in found["reason"].iloc[0]


def test_a_batch_takes_the_columns_it_is_told(here: Desk, tmp_path: Path) -> None:
    _, found = batch(here, tmp_path, mapping={"Home ZIP": "postal_code"})
    assert found["decision"].tolist()[0] == "cannot decide"  # the coordinates were not mapped
    with pytest.raises(ColumnError, match="no column 'Nope'"):
        batch(here, tmp_path, mapping={"Nope": "postal_code"})
    with pytest.raises(ColumnError, match="no columns"):
        batch(here, tmp_path, mapping={"Note": "role"})


def test_a_batch_counts_the_rows_of_its_file_and_stops_between_them(
    here: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "homes.csv", tmp_path / "out.csv"
    rows = "".join(f"E-{n},67654\n" for n in range(7))
    source.write_text(f"id,zip\n{rows}E-8,67654,one cell too many\n")
    monkeypatch.setattr(deciding, "_CHUNK", 3)
    steps: list[tuple[int, int]] = []

    def stop_at_7(done: int, of: int) -> None:
        steps.append((done, of))
        if done >= 7:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        desk.decide_batch(here.store, here.homes, source, target, here.ask(), rows_done=stop_at_7)
    assert desk.search_decisions(here.store)[1] == 0
    assert not target.exists()
    assert steps == [(1, 8), (4, 8), (7, 8)]  # what cannot be read is done from the start
    steps.clear()
    report = desk.decide_batch(
        here.store, here.homes, source, target, here.ask(),
        rows_done=lambda done, of: steps.append((done, of)),
    ).report  # fmt: skip
    assert steps == [(1, 8), (4, 8), (7, 8), (8, 8)]
    assert report.read == 8


def test_a_batch_that_fails_leaves_no_decision_and_no_file(here: Desk, tmp_path: Path) -> None:
    add_offices(here.store, {"office_id": "v", "name": "V", "lon": None, "lat": None})
    with pytest.raises(InputError, match="'v'"):
        batch(here, tmp_path)
    assert desk.search_decisions(here.store)[1] == 0
    assert here.homes.size() == 0
    assert not (tmp_path / "decided.csv").exists()


def test_a_candidate_is_answered_and_nothing_is_stored(here: Desk) -> None:
    def stored() -> dict[str, bytes]:  # all but the index of locks, which readers touch
        files = (path for path in here.folder.iterdir() if not path.name.endswith("-shm"))
        return {path.name: path.read_bytes() for path in files}

    before = stored()
    told = desk.self_check(here.store, "80202", now=NOW)
    assert (told.decision, told.policy) == ("not eligible", "rule 1")
    assert desk.self_check(here.store, "00000", now=NOW).decision == "cannot decide"
    assert desk.self_check(here.store, "22199", now=NOW).remedy
    for wrong in ("", "8020", "80202; DROP", "Denver", "８０２０２"):
        with pytest.raises(InputError, match="no ZIP code") as raised:
            desk.self_check(here.store, wrong, now=NOW)
        assert not wrong or wrong not in str(raised.value)
    assert stored() == before


# --- print and audit ------------------------------------------------------------------------------


def test_a_certificate_holds_all_but_the_home(here: Desk) -> None:
    made = here.decide("E-1", 31.27, street="4711 Quetzalcoatl Crescent")
    digest = made.record["sha256"]["all"]
    exact = decision.certificate(
        made.exact, decision_id=made.decision_id, is_exact=True, digest=digest
    )
    lines = dict(exact.lines)
    assert lines["Distance, straight line"] == "31.3 miles"
    assert lines["On record as"] == "E-2026-000001"
    assert lines["Rule"] == "within 50 miles (straight line) of the point of any open office"
    assert lines["Policy"].startswith("rule 1")
    assert exact.digest == made.record["sha256"]["all"]
    assert exact.digest in exact.text()
    assert "Quetzalcoatl" not in exact.text()
    plain = decision.certificate(made.record)
    assert "31." not in plain.text()
    assert "25 to 50 miles" in plain.text()


def test_a_certificate_of_an_open_case_says_what_would_settle_it(here: Desk) -> None:
    lost = {"postal_code": "00000", "person_id": "E-1"}
    made = desk.decide_one(here.store, here.homes, lost, here.ask())
    printed = decision.certificate(made.exact, is_exact=True)
    assert printed.remedy
    assert f"What would settle it: {printed.remedy}" in printed.text()


def test_who_did_what_is_in_the_audit_log_without_any_home(here: Desk, tmp_path: Path) -> None:
    here.decide("E-1", 31.27)
    batch(here, tmp_path)
    granted = GrantedException("E-1", "hardship", "J. Doe", "2026-01-01", "2027-01-01")
    entry = desk.set_exception(here.store, "rule", granted, by="hr", now=NOW)
    desk.revoke_exception(here.store, entry.exception_id, by="hr", now=NOW)
    desk.purge_person(here.store, here.homes, "E-1", by="hr", now=NOW)
    desk.purge_due(here.store, here.homes, by="clock", now=NOW)
    log, _ = audit_log.search(here.store)
    assert log["action"].tolist()[::-1] == [
        "eligibility.policy_draft", "eligibility.policy_publish", "eligibility.decide",
        "eligibility.decide", "eligibility.exception_set", "eligibility.exception_revoke",
        "eligibility.purge", "eligibility.purge",
    ]  # fmt: skip
    told = log.to_csv()
    assert '"decisions": 6' in told.replace('""', '"')
    assert not [word for word in ("80202", "31.2", "hardship", "Jane") if word in told]
    assert audit_log.verify(here.store).is_intact
