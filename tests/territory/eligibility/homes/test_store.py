"""The home store keeps addresses apart, forgets them for good, and tells nobody."""

from __future__ import annotations

import dataclasses
import json
import stat
import struct
import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from sqlalchemy import create_engine, text

from territory.eligibility import decision
from territory.eligibility.desk import batch, decisions, verify_decision
from territory.eligibility.homes import HomeStore, commitment, open_homes
from territory.errors import InputError, StoreError
from territory.store import open_store
from tests.fixtures import databases
from tests.fixtures.eligibility_stores import NOW, add_offices, opened, point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.eligibility_stores import Desk

STREET = "4711 Quetzalcoatl Crescent"
UNTIL = "2027-02-21"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/var/homes.sqlite"
        return
    server: str = request.getfixturevalue("postgresql_server")
    role = f"desk_{uuid.uuid4().hex[:8]}"
    engine = create_engine(server.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))  # a role of its own, no superuser
    engine.dispose()
    yield databases.database(server, owner=role).replace("postgres@", f"{role}@")


@pytest.fixture
def homes(url: str) -> Iterator[HomeStore]:
    with open_homes(url) as found:
        yield found


def kept(*subjects: str | None, **more: Any) -> pd.DataFrame:
    row = {
        "given": json.dumps({"street": STREET, "postal_code": "80202"}), "lon": -105.0,
        "lat": 39.7, "precision": "postal", "uncertainty_m": 1609.0, "fault": None,
        "geocode_source": "ZIP code", **more,
    }  # fmt: skip
    return pd.DataFrame([{"subject": subject, **row} for subject in subjects], dtype=object)


def test_a_home_comes_back_as_it_was_kept_and_bears_its_commitment(homes: HomeStore) -> None:
    marks = homes.keep(kept("E-1", None, "E-2"), now=NOW, keep_until=UNTIL)
    assert marks[1] is None
    assert marks[0] != marks[2]  # the same address of two people is not seen to be the same
    found = homes.find([mark for mark in marks if mark]).set_index("subject")
    assert found.loc["E-1", ["lon", "lat", "uncertainty_m"]].tolist() == [-105.0, 39.7, 1609.0]
    assert found.loc["E-1", "fault"] is None
    assert commitment(found.loc["E-1", "salt"], found.loc["E-1", "given"]) == marks[0]
    assert commitment(found.loc["E-2", "salt"], found.loc["E-1", "given"]) != marks[0]


def test_the_same_home_is_kept_once_and_longer(homes: HomeStore) -> None:
    first = homes.keep(kept("E-1"), now=NOW, keep_until=UNTIL)
    again = homes.keep(
        kept("E-1", "E-1", lon=-105.5, given=kept("E-1")["given"][0].upper()),
        now=NOW, keep_until="2027-06-01",
    )  # fmt: skip
    assert again == [*first, *first]
    assert homes.size() == 1
    found = homes.find([first[0] or ""]).iloc[0]
    assert (found["keep_until"], found["lon"]) == ("2027-06-01", -105.5)
    homes.keep(kept("E-1"), now=NOW, keep_until="2026-12-01")
    assert homes.find([first[0] or ""])["keep_until"].tolist() == ["2027-06-01"]  # never shorter
    moved = homes.keep(kept("E-1", given='{"city":"Elsewhere"}'), now=NOW, keep_until=UNTIL)
    assert moved != first


def test_many_homes_go_in_at_once(homes: HomeStore) -> None:
    many = kept(*[f"E-{at}" for at in range(10_050)])
    marks = homes.keep(many, now=NOW, keep_until=UNTIL)
    assert homes.size() == 10_050
    assert len(homes.find([mark for mark in marks if mark])) == 10_050


def test_a_purge_takes_one_person_or_those_whose_time_is_over(homes: HomeStore) -> None:
    marks = homes.keep(kept("E-1", "E-2"), now=NOW, keep_until=UNTIL)
    homes.keep(kept("E-3"), now=NOW + timedelta(days=30), keep_until="2027-06-01")
    assert homes.purge_subject("E-1", by="hr", now=NOW) == ["E-1"]
    assert homes.purge_subject("E-1", by="hr", now=NOW) == []
    assert homes.purge_note(marks[0] or "") == ("2026-11-23T10:00:00Z", "hr", "asked")
    assert homes.purge_note(marks[1] or "") is None
    eve = datetime(2027, 2, 20, 23, 59, tzinfo=UTC)
    assert homes.purge_due(by="clock", now=eve) == []
    assert homes.purge_due(by="clock", now=eve + timedelta(minutes=1)) == ["E-2"]
    assert homes.purge_note(marks[1] or "") == ("2027-02-21T00:00:00Z", "clock", "age")
    assert homes.purge_kept_before("2026-12-23", by="clock", now=NOW) == []
    assert homes.purge_kept_before("2026-12-24", by="clock", now=NOW) == ["E-3"]
    assert homes.size() == 0


def test_only_the_one_who_makes_it_can_read_it(tmp_path: Path) -> None:
    with open_homes(str(tmp_path / "deep" / "homes.sqlite")):
        mode = (tmp_path / "deep" / "homes.sqlite").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_homes_do_not_share_a_database_with_anything_else(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "store.sqlite")):
        pass
    with pytest.raises(StoreError, match="a database of their own"):
        open_homes(str(tmp_path / "store.sqlite"))


def test_a_home_store_of_another_version_or_none_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No home store"):
        open_homes(str(tmp_path / "none.sqlite"), create=False)
    with pytest.raises(StoreError, match="is a folder"):
        open_homes(str(tmp_path))
    with pytest.raises(InputError):
        open_homes("mysql://host/homes")
    (tmp_path / "text.sqlite").write_text("no database " * 100)
    with pytest.raises(StoreError, match="not a SQLite database"):
        open_homes(str(tmp_path / "text.sqlite"))
    with open_homes(str(tmp_path / "homes.sqlite")):
        pass
    engine = create_engine(f"sqlite:///{tmp_path}/homes.sqlite")
    with engine.begin() as connection:
        connection.execute(text("UPDATE homes_format SET format = 'territory homes 9'"))
    engine.dispose()
    with pytest.raises(StoreError, match="territory homes 9"):
        open_homes(str(tmp_path / "homes.sqlite"))


def test_the_home_store_is_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERRITORY_HOMES", str(tmp_path / "elsewhere.sqlite"))
    with open_homes() as found:
        assert found.label.endswith("elsewhere.sqlite")
    monkeypatch.delenv("TERRITORY_HOMES")
    monkeypatch.chdir(tmp_path)
    with open_homes():
        assert (tmp_path / "var" / "homes.sqlite").exists()


def test_an_error_of_the_database_holds_no_address(homes: HomeStore) -> None:
    broken = kept("E-1", precision=object())  # nothing that a database takes
    with pytest.raises(Exception, match=r".") as raised:
        homes.keep(broken, now=NOW, keep_until=UNTIL)
    told = str(raised.value) + str(raised.value.__cause__)
    assert "Quetzalcoatl" not in told
    assert homes.size() == 0


def test_writers_take_turns(homes: HomeStore) -> None:
    def keep(person: str) -> None:
        homes.keep(kept(person), now=NOW, keep_until=UNTIL)

    threads = [threading.Thread(target=keep, args=(f"E-{at}",)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert homes.size() == 8


# --- nothing is left ----------------------------------------------------------------------------

# A coordinate as eight bytes is what SQLite stores; as text it is what people read.
TRACES = (b"Quetzalcoatl", b"QUETZALCOATL", b"80299", b"-103.98")


def traces(folder: Path) -> list[str]:
    """Every file under a folder that holds a trace of the homes."""
    lon = float(point(55)["lon"])
    sought = (*TRACES, struct.pack(">d", lon), struct.pack("<d", lon), repr(lon).encode())
    return sorted(
        f"{path.name}: {trace!r}"
        for path in folder.rglob("*")
        if path.is_file()
        for trace in sought
        if trace in path.read_bytes()
    )


def decide_for_many(desk: Desk, folder: Path) -> list[str]:
    """Enough homes to fill many pages, so that a purge has pages to free."""
    lon, lat = point(55)["lon"], point(55)["lat"]
    lines = [f'E-{at},"{STREET} {at}",{lon},{lat}' for at in range(60)]
    source, target = folder / "homes.csv", folder / "decided.csv"
    source.write_text("\n".join(["id,street,lon,lat", *lines, f'B-1,"{STREET} 99",,']))
    batch.decide_batch(desk.store, desk.homes, source, target, desk.ask())
    return list(pd.read_csv(target)["decision_id"])


def test_after_a_purge_the_address_is_nowhere_and_the_decision_stands(tmp_path: Path) -> None:
    data, temporary = tmp_path / "var", tmp_path / "tmp"
    data.mkdir()
    temporary.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TMPDIR", "SQLITE_TMPDIR"):
            patch.setenv(name, str(temporary))
        with opened(data) as desk:
            ids = decide_for_many(desk, tmp_path)
            later = NOW + timedelta(days=1)
            desk.decide("S-1", 5, street="1 Elm St", now=later)  # stays
            assert traces(data)  # the search finds what is there
            before = decisions.decision_record(desk.store, ids[0])
            # A reader of the main store, whose write-ahead log keeps growing meanwhile.
            with desk.store.read() as reader:
                reader.size("offices")
                one = decisions.purge_person(desk.store, desk.homes, "E-0", by="hr", now=later)
                rest = decisions.purge_due(
                    desk.store, desk.homes, by="hr", now=later, kept_before="2026-11-24"
                )
            assert (one.purged, one.left, rest.purged, rest.left) == (1, 61, 60, 1)
            assert traces(data) == []
            assert traces(temporary) == []
            for decision_id, how in ((ids[0], "on request"), (ids[-1], "by age")):
                found = verify_decision(desk.store, desk.homes, decision_id)
                assert (found.stands, found.home) == (True, "purged")
                assert f"purged {how}" in found.sentence
            assert decisions.decision_record(desk.store, ids[0]) == before
            printed = decision.certificate(before, is_exact=True).text()
            assert "Quetzalcoatl" not in printed
    assert traces(data) == []


def test_no_record_error_or_log_holds_the_address_even_before_a_purge(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    data = tmp_path / "var"
    data.mkdir()
    with opened(data) as desk:
        decide_for_many(desk, tmp_path)
        places = {line.partition(":")[0] for line in traces(data)}
    assert places == {"homes.sqlite"}
    assert "Quetzalcoatl" not in caplog.text


def test_on_postgresql_a_purge_rewrites_the_table(postgresql_url: str, tmp_path: Path) -> None:
    url = postgresql_url
    with opened(tmp_path, homes_url=url) as desk:
        desk.decide("E-1", 55, street=STREET)
        inside = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        this = text("SELECT oid FROM pg_database WHERE datname = current_database()")
        with inside.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            oid = connection.execute(this).scalar_one()
            folder = Path(url.partition("host=")[2]) / "data" / "base" / str(oid)
            connection.execute(text("CHECKPOINT"))
            assert traces(folder)
            assert desk.homes.purge_subject("E-1", by="hr", now=NOW) == ["E-1"]
            connection.execute(text("CHECKPOINT"))
        inside.dispose()
        assert traces(folder) == []
    assert traces(tmp_path) == []


def test_a_vague_office_is_refused_and_leaves_no_home_behind(tmp_path: Path) -> None:
    with opened(tmp_path) as desk:
        add_offices(
            desk.store,
            {"office_id": "vague", "name": "V", "lon": -90.0, "lat": 40.0, "uncertainty_m": 900.0},
        )
        with pytest.raises(InputError, match="'vague'"):
            desk.decide("E-1", 10)
        assert desk.homes.size() == 0


def test_a_question_names_who_when_and_until_when(tmp_path: Path) -> None:
    with opened(tmp_path) as desk:
        asked = dataclasses.replace(desk.ask(), keep_days=10)
        assert (asked.day, asked.keep_until) == ("2026-11-23", "2026-12-03")
