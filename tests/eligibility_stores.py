"""A store with offices and a published policy, and a home store beside it, for the desk's tests."""

from __future__ import annotations

import functools
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from territory import eligibility_deciding
from territory import eligibility_desk as desk
from territory.homes import Homes, open_homes
from territory.store import KINDS, Store, open_store
from tests.eligibility_drawn import GEOD, policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.eligibility_policy import EligibilityPolicy

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LON, LAT = -100.0, 40.0


class Desk(NamedTuple):
    """What most tests need."""

    store: Store
    homes: Homes
    folder: Path

    def ask(self, **more: Any) -> desk.Question:
        return desk.Question(**{"by": "hr", "now": NOW, **more})

    def publish(self, rule: EligibilityPolicy) -> EligibilityPolicy:
        desk.save_policy(self.store, rule, by="hr", now=NOW)
        desk.publish_policy(self.store, rule.name, rule.version, by="hr", now=NOW)
        return rule

    def decide(self, person: str | None, miles: float, **more: Any) -> desk.Decided:
        """Decide for a person some miles east of the first office; ``on`` and ``now`` as asked."""
        asked = {name: more.pop(name) for name in ("on", "now", "policy_name") if name in more}
        home = {**point(miles), "person_id": person, **more}
        return desk.decide_one(self.store, self.homes, home, self.ask(**asked))

    def decide_many(self, miles: dict[str | None, float], **asked: Any) -> None:
        """Decide for several people at once, each some miles east of the first office."""
        rows = [{**point(far), "person_id": person} for person, far in miles.items()]
        frame = pd.DataFrame(rows, dtype=object)
        eligibility_deciding.decide(self.store, self.homes, frame, self.ask(**asked))


def point(miles: float, lon: float = LON, lat: float = LAT) -> dict[str, str]:
    """A point due east of a place, as a file has it."""
    x, y, _ = GEOD.fwd(lon, lat, 90, miles * 1609.344)
    return {"lon": repr(x), "lat": repr(y)}


def add_offices(store: Store, *rows: dict[str, Any]) -> None:
    table = KINDS["offices"].table
    blank = dict.fromkeys(column.name for column in table.columns)
    exact = {"precision": "rooftop", "uncertainty_m": 0.0, "geocode_source": "given"}
    frame = pd.DataFrame([{**blank, **exact, **row} for row in rows])
    with store.write() as transaction:
        transaction.save("offices", frame, frame.iloc[:0])


@functools.cache
def _template() -> bytes:
    """The file of a store with two offices and a published policy, made once: it takes a while."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "territory.sqlite"
        with open_store(str(path)) as store:
            add_offices(
                store,
                {"office_id": "west", "name": "West", "lon": LON, "lat": LAT},
                {"office_id": "east", "name": "East", "lon": LON + 3, "lat": LAT},
            )
            desk.save_policy(store, policy(name="rule"), by="hr", now=NOW)
            desk.publish_policy(store, "rule", "1", by="hr", now=NOW)
        return path.read_bytes()


@contextmanager
def opened(folder: Path, *, homes_url: str | None = None) -> Iterator[Desk]:
    (folder / "territory.sqlite").write_bytes(_template())
    store = open_store(str(folder / "territory.sqlite"))
    homes = open_homes(homes_url or str(folder / "homes.sqlite"))
    with store, homes:
        yield Desk(store, homes, folder)
