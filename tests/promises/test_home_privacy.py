"""A purged home cannot be computed back: an attack by least squares on all that remains.

The attacker has every file that remains after a purge (the main store with its log and free pages,
exports, certificates, batch files and whatever lies below the folder of the server), knows the
program and the offices, and collects for every way from the home to an office the narrowest
interval that anything tells of it: an exact number wherever it stands, a rounded one in a sentence,
or else the distance class. Least squares on those intervals place the home.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from territory.access import audit_log
from territory.eligibility import decision, desk
from territory.eligibility.decision import is_exact
from territory.eligibility.decision.disclosure import class_ends
from territory.eligibility.desk import upload_files
from territory.eligibility.rules import Criterion, DecisionFilter, policy_from
from tests.fixtures.eligibility_drawn import GEOD, policy
from tests.fixtures.eligibility_stores import NOW, add_offices, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.eligibility_stores import Desk

MILE = 1609.344
HOME = (-100.312345678, 40.223456789)  # so exact that nothing needs review
# Offices round the home, so that three exact ways to them give it to the metre.
OFFICES = {
    f"O{at}": (lon, lat)
    for at, (lon, lat) in enumerate(
        [(-100.7, 40.5), (-99.9, 40.6), (-100.4, 39.9), (-101.1, 40.1), (-99.6, 40.0),
         (-100.1, 40.9), (-100.9, 39.7), (-99.4, 40.4), (-101.3, 40.4), (-100.0, 39.6)]
    )
}  # fmt: skip
THREE = tuple(
    Criterion(limit, offices="approved", approved=(office,))
    for office, limit in (("O0", 5.0), ("O1", 12.0), ("O2", 20.0))
)
EARTH_M = 6_371_000.0


class Way(NamedTuple):
    """What is told of the way from the home to an office: between which metres it is."""

    office: str
    low: float
    high: float


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Desk]:
    with opened(tmp_path) as found:
        rows = [
            {"office_id": name, "name": name, "lon": lon, "lat": lat}
            for name, (lon, lat) in OFFICES.items()
        ]
        add_offices(found.store, *rows)
        found.publish(policy(*THREE, name="three"))
        found.publish(policy(Criterion(50.0, offices="assigned"), name="assigned"))
        yield found


def decide_three(here: Desk, home: tuple[float, float], person: str = "E-1") -> None:
    here.decide(person, 0, policy_name="three", **point(home))


def decide_ten(here: Desk, home: tuple[float, float], person: str = "E-1") -> None:
    for office in OFFICES:
        more = {**point(home), "assigned_office_id": office}
        here.decide(person, 0, policy_name="assigned", **more)


def point(home: tuple[float, float]) -> dict[str, str]:
    return {"lon": repr(home[0]), "lat": repr(home[1])}


def export(here: Desk) -> None:
    """Leave on the disk what the desk lets out: lists, certificates, records and batch files."""
    found, _ = desk.search_decisions(here.store, DecisionFilter())
    found.to_csv(here.folder / "decisions.csv", index=False)
    for decision_id in found["decision_id"]:
        record = desk.decision_record(here.store, decision_id)
        printed = decision.certificate(record, decision_id=decision_id)
        (here.folder / f"{decision_id}.txt").write_text(printed.text(), "utf-8")
        (here.folder / f"{decision_id}.json").write_text(decision.record_text(record), "utf-8")
    audit_log.search(here.store)[0].to_csv(here.folder / "audit.csv", index=False)
    folder, source = here.folder / upload_files.FOLDER, here.folder / "arrived"
    lon, lat = HOME
    source.write_text(f"id,lat,lon\nE-1,{lat},{lon}\n", "utf-8")
    upload_files.keep(folder, source, name="a.csv", by="hr", at="2026-11-23T10:00:00Z")
    source.unlink()


def purge(here: Desk) -> None:
    folder = here.folder / upload_files.FOLDER
    report = desk.purge_person(here.store, here.homes, "E-1", by="hr", now=NOW, folder=folder)
    assert report.purged
    assert report.files == 1


def texts(folder: Path) -> Iterator[str]:
    """Every text that remains: each cell of each table, each file, each run in free pages."""
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = path.read_bytes()
        if path.suffix == ".sqlite":
            with closing(sqlite3.connect(path)) as connection:
                tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
                for (name,) in connection.execute(tables).fetchall():
                    if name == "offices":  # where the offices are is no secret
                        continue
                    for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608
                        yield from (str(cell) for cell in row if cell is not None)
        for run in re.findall(rb"[\x09\x0a\x0d\x20-\x7e]{4,}", content):
            yield run.decode()


def ways(folder: Path) -> list[Way]:
    """Say of every way what the remains tell: the narrowest interval that any text gives."""
    found: dict[str, Way] = {}
    for text in texts(folder):
        for record in records(text):
            rule = policy_from(record["policy"]["rule"], "recorded")
            for part, criterion in zip(record["facts"]["measures"], rule.any_of, strict=True):
                if part["office_id"] is None:
                    continue
                if "value" in part:
                    way = Way(part["office_id"], part["value"], part["value"])
                else:
                    way = Way(part["office_id"], *class_ends(criterion)[part["class"]])
                narrow(found, way)
        # A sentence: "31.2 miles (straight line) from O3".
        for miles, office in re.findall(r"([\d.]+) miles \([^)]*\) from (O\d)", text):
            narrow(found, Way(office, (float(miles) - 0.05) * MILE, (float(miles) + 0.05) * MILE))
    return list(found.values())


def records(text: str) -> Iterator[dict[str, Any]]:
    """The decision records that a text is or holds."""
    for match in re.finditer(r'\{\s*"asked"', text):
        try:
            yield json.JSONDecoder().raw_decode(text[match.start() :])[0]
        except ValueError:
            continue


def narrow(found: dict[str, Way], way: Way) -> None:
    known = found.get(way.office, Way(way.office, 0.0, np.inf))
    low, high = max(known.low, way.low), min(known.high, way.high)
    found[way.office] = Way(way.office, low, high)


def least_squares(ways: list[Way]) -> tuple[float, float]:
    """Place a home by Gauss-Newton on the middles of intervals, each as good as it is narrow."""
    at = np.array([OFFICES[way.office] for way in ways])
    low = np.array([way.low for way in ways])
    high = np.minimum([way.high for way in ways], low + 50 * MILE)
    middle, weight = (low + high) / 2, 1 / np.maximum(high - low, 0.01)
    best, least = (0.0, 0.0), np.inf
    for start in (*at, at.mean(axis=0)):
        place = start + 1e-3
        for _ in range(60):
            distance, away = measured(place, at)
            scale = np.array([np.cos(np.radians(place[1])), 1.0]) * np.radians(EARTH_M)
            slopes = away * scale * weight[:, None]
            step = np.linalg.lstsq(slopes, (middle - distance) * weight, rcond=None)[0]
            place = place + np.clip(step, -0.2, 0.2)
        left = float((((middle - measured(place, at)[0]) * weight) ** 2).sum())
        if left < least:
            best, least = (float(place[0]), float(place[1])), left
    return best


def measured(place: Any, at: Any) -> tuple[Any, Any]:
    """Distances from offices to a place, and the direction (east, north) in which each grows."""
    lon, lat = np.full(len(at), place[0]), np.full(len(at), place[1])
    azimuth, _, distance = GEOD.inv(lon, lat, at[:, 0], at[:, 1])
    away = -np.c_[np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))]
    return distance, away


def off_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(GEOD.inv(*one, *other)[2])


def cell(home: tuple[float, float], criteria: dict[str, Criterion]) -> tuple[Way, ...]:
    """The classes of a home, by office: what may be known of it and no more."""
    told = []
    for office, criterion in criteria.items():
        distance = off_m(home, OFFICES[office])
        low, high = next(e for e in class_ends(criterion).values() if e[0] <= distance <= e[1])
        told.append(Way(office, low, high))
    return tuple(told)


def twin(home: tuple[float, float], criteria: dict[str, Criterion]) -> tuple[float, float]:
    """The home farthest from another whose classes are all the same."""
    lon, lat = np.meshgrid(
        np.linspace(home[0] - 0.6, home[0] + 0.6, 241),
        np.linspace(home[1] - 0.5, home[1] + 0.5, 201),
    )
    lon, lat = lon.ravel(), lat.ravel()
    same = np.ones(len(lon), bool)
    for way in cell(home, criteria):
        x, y = (np.full(len(lon), value) for value in OFFICES[way.office])
        distance = GEOD.inv(lon, lat, x, y)[2]
        same &= (distance > way.low + 200) & (distance < way.high - 200)
    away = np.where(same, GEOD.inv(lon, lat, lon * 0 + home[0], lat * 0 + home[1])[2], -1)
    return float(lon[away.argmax()]), float(lat[away.argmax()])


CASES = {
    "three criteria": (decide_three, {c.approved[0]: c for c in THREE}),
    "ten decisions": (decide_ten, dict.fromkeys(OFFICES, Criterion(50.0))),
}


@pytest.mark.parametrize("case", CASES)
def test_least_squares_on_what_remains_come_no_nearer_than_the_classes(
    here: Desk, case: str
) -> None:
    decide, criteria = CASES[case]
    decide(here, HOME)
    export(here)
    purge(here)
    told = ways(here.folder)
    assert {way.office for way in told} == set(criteria)
    # Nothing narrows a way beyond its class,
    assert sorted(told) == sorted(cell(HOME, criteria))
    # so the best guess about this home is the best guess about any other in the same classes.
    guess, other = least_squares(told), twin(HOME, criteria)
    assert cell(other, criteria) == cell(HOME, criteria)
    allowed = off_m(HOME, other) / 2
    assert max(off_m(guess, HOME), off_m(guess, other)) >= allowed > 1.5 * MILE


@pytest.mark.parametrize("case", CASES)
def test_two_homes_in_the_same_classes_leave_the_same(
    here: Desk, case: str, tmp_path: Path
) -> None:
    decide, criteria = CASES[case]
    remains = []
    for person, home in (("E-1", HOME), ("E-2", twin(HOME, criteria))):
        decide(here, home, person)
        found, _ = desk.search_decisions(here.store, DecisionFilter(subject=person))
        own = [desk.decision_record(here.store, one) for one in found["decision_id"]]
        lines = [json.dumps(each["facts"]) + json.dumps(each["decision"]) for each in own]
        lines.append(found.drop(columns=["decision_id", "subject"]).to_csv(index=False))
        remains.append(lines)
    assert remains[0] == remains[1]


@pytest.mark.parametrize("case", CASES)
def test_no_number_that_remains_is_a_way_and_no_digest_can_be_tried_out(
    here: Desk, case: str
) -> None:
    decide, criteria = CASES[case]
    decide(here, HOME)
    exact = [
        desk.exact_decision_record(here.store, here.homes, one)
        for one in desk.search_decisions(here.store)[0]["decision_id"]
    ]
    export(here)
    purge(here)
    bounds = {
        end for each in criteria.values() for pair in class_ends(each).values() for end in pair
    }
    true = {off_m(HOME, OFFICES[office]) for office in criteria}
    numbers = {float(n) for text in texts(here.folder) for n in re.findall(r"\d+\.\d+", text)}
    for metres in true:
        for unit in (1.0, 1000.0, MILE):
            near = [n for n in numbers if abs(n - metres / unit) < 0.06 and n * unit not in bounds]
            assert not near
    known = "\n".join(texts(here.folder))
    assert all(each is not None and is_exact(each) for each in exact)
    for each in exact:
        for name in ("all", "facts", "decision"):  # whoever guesses the home can compute these
            assert each["sha256"][name] not in known
    for home in ("lon", "lat"):
        assert point(HOME)[home] not in known


def test_the_attack_finds_a_home_to_the_metre_by_what_was_kept_before(here: Desk) -> None:
    """The attack can succeed: on exact records, as the store held them before, it does."""
    decide_three(here, HOME)
    (one,) = desk.search_decisions(here.store)[0]["decision_id"]
    exact = desk.exact_decision_record(here.store, here.homes, one)
    purge_only(here)
    assert off_m(least_squares(ways(here.folder)), HOME) > MILE
    (here.folder / "old.json").write_text(decision.record_text(exact or {}), "utf-8")
    assert off_m(least_squares(ways(here.folder)), HOME) < 1.0


def test_the_attack_finds_a_home_by_what_sentences_round(here: Desk) -> None:
    decide_ten(here, HOME)
    found, _ = desk.search_decisions(here.store, homes=here.homes)
    purge_only(here)
    text = io.StringIO()
    csv.writer(text).writerows([[reason] for reason in found["reason"]])
    (here.folder / "kept.csv").write_text(text.getvalue(), "utf-8")
    assert off_m(least_squares(ways(here.folder)), HOME) < 200.0


def purge_only(here: Desk) -> None:
    assert desk.purge_person(here.store, here.homes, "E-1", by="hr", now=NOW).purged


def test_a_batch_for_hr_with_exact_distances_goes_with_the_first_of_its_people(here: Desk) -> None:
    folder, source = here.folder / upload_files.FOLDER, here.folder / "arrived.csv"
    pd.DataFrame([{"id": "E-1", **point(HOME)}, {"id": "E-2", **point(HOME)}]).to_csv(source)
    upload = upload_files.keep(folder, source, name="a.csv", by="hr", at="2026-11-23T10:00:00Z")
    source.unlink()
    desk.decide_batch(
        here.store, here.homes, upload.path, upload_files.verdicts_of(upload),
        here.ask(policy_name="three"), is_exact=True,
    )  # fmt: skip
    desk.purge_person(here.store, here.homes, "E-1", by="hr", now=NOW, folder=folder)
    assert list(folder.iterdir()) == []
