"""Verify, a year later, that a decision on record still stands, with its home or without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from territory.eligibility.decision import parse_record, verify
from territory.eligibility.desk.batch import data_vintage
from territory.eligibility.homes import commitment
from territory.eligibility.rules import EligibilityLedger
from territory.geodesy import inverse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row

    from territory.eligibility.homes import Homes
    from territory.store import Store

HELD, PURGED, NEVER, LOST = "held", "purged", "never kept", "not held"
_SLACK_M = 1e-6  # another machine's mathematics may differ in the last digits
_GIVEN = "coordinates given"


@dataclass(frozen=True)
class Verification:
    """What verifying a decision found: it stands where ``differences`` is empty.

    ``home``: one of "held", "purged", "never kept", "not held"; ``home_sentence`` says what that
    means for this decision.
    """

    decision_id: str
    differences: tuple[str, ...]
    home: str
    home_sentence: str

    @property
    def stands(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def sentence(self) -> str:
        """The outcome in one line."""
        if self.differences:
            return f"{self.decision_id}: {len(self.differences)} differences; it does not stand."
        return (
            f"{self.decision_id} verified: the decision follows from the recorded facts, and "
            f"nothing was changed. {self.home_sentence}"
        )

    def as_json(self) -> dict[str, Any]:
        """The outcome for a program to read."""
        return {
            "decision_id": self.decision_id,
            "verified": self.stands,
            "differences": list(self.differences),
            "home": self.home,
            "home_sentence": self.home_sentence,
        }


def verify_decision(store: Store, homes: Homes, decision_id: str) -> Verification:
    """Decide again from the recorded facts; measure again too, where the home is still held.

    Raises
    ------
    NotFoundError
        If there is no such decision.
    FileFormatError
        If its record is none any more.
    """
    with store.read() as transaction:
        row = EligibilityLedger(transaction).decision(decision_id)
        versions = EligibilityLedger(transaction).policies(row.policy_name)
    record = parse_record(row.record, decision_id)
    told = [*verify(record), *_compare_columns(row, record)]
    published = [v.policy.digest for v in versions if v.policy.version == row.policy_version]
    if record["policy"].get("digest") not in published:
        told.append("policy.digest: is not that of the version in the register")
    home, sentence, more = _home(record, homes)
    return Verification(decision_id, (*told, *more), home, sentence)


def _compare_columns(row: Row[Any], record: Mapping[str, Any]) -> list[str]:
    """Say where the row of the register and its record part."""
    asked, policy = record["asked"], record["policy"]
    told = {
        "subject": asked.get("subject"),
        "home": asked.get("home"),
        "decided_on": asked.get("on"),
        "decided_at": asked.get("at"),
        "decided_by": asked.get("by"),
        "policy_name": policy.get("name"),
        "policy_version": policy.get("version"),
        "decision": record["decision"].get("decision"),
        "basis": record["decision"].get("basis"),
        "office_id": record["decision"].get("office_id"),
        "digest": record["sha256"].get("all"),
    }
    return [
        f"register.{name}: is {getattr(row, name)!r}, the record says {value!r}"
        for name, value in told.items()
        if getattr(row, name) != value
    ]


def _home(record: Mapping[str, Any], homes: Homes) -> tuple[str, str, list[str]]:
    """Say what is known of the home, and what measuring from it again finds."""
    mark = record["asked"].get("home")
    if mark is None:
        return NEVER, "No home was kept with it, so nothing can be measured again.", []
    held = homes.held([mark])
    if held.empty:
        noted = homes.purged(mark)
        if noted is None:
            return LOST, "Its home is not in this home store, and no purge of it is noted.", []
        at, by, why = noted
        reason = "on request" if why == "asked" else "by age"
        return PURGED, f"Its home was purged {reason} at {at} by {by}; the decision stands.", []
    home = held.iloc[0]
    if commitment(home["salt"], home["given"]) != mark:
        return HELD, "Its home was changed.", ["home: was changed after it was kept"]
    if home["geocode_source"] != _GIVEN and record["made_with"]["data"] != data_vintage():
        return HELD, "Its home is held; other tables of places were used then.", []
    more = _measure_again(record, float(home["lon"]), float(home["lat"]))
    return HELD, "Its home is held, and measuring again gives the same distances.", more


def _measure_again(record: Mapping[str, Any], lon: float, lat: float) -> list[str]:
    """Compare straight lines from the held home with those in the record."""
    told = []
    rules = record["policy"]["rule"]["any_of"]
    for at, (part, rule) in enumerate(zip(record["facts"]["measures"], rules, strict=False), 1):
        recorded = part["value"]
        if recorded is None or (rule["method"], rule["origin"]) != ("geodesic", "office"):
            continue
        again = inverse([lon], [lat], [part["office_lon"]], [part["office_lat"]])[0]
        if not abs(again - recorded) <= _SLACK_M:
            told.append(f"facts.measures {at}: measured again from the home, the distance differs")
    return told
