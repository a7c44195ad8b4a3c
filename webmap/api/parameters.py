"""Query parameters of ``/api/v1``: the reader and the document both go by these tables."""

from __future__ import annotations

from territory.prospects import fields
from territory.schemas import MARKET_KINDS, SEVERITIES

# The name in the address -> what it means, its greatest value and its default.
PAGING = {"page": ("Which page", 10**7, 1), "per_page": ("Rows of a page", 500, 100)}
LONGEST = 200  # characters of an id
LONGEST_VALUE = 300  # characters of one value of a home
# No control characters, which no database takes alike; \u escapes mean the same in JSON Schema.
AN_ID = rf"^[^\u0000-\u001f\u007f-\u009f]{{1,{LONGEST}}}$"
MOST_VALUES = 50  # of one choice
UNKNOWN = "none"  # the value that stands for "not known", as on the pages
SUBJECTS = ("prospect", "market", "rep", "territory", "office")
# The name in the address -> its column, and the values there are; None: any id.
CHOICES: dict[str, dict[str, tuple[str, tuple[str, ...] | None]]] = {
    "prospects": {
        field.name: (field.column, field.offered)
        for field in map(fields.BY_NAME.__getitem__, fields.API)
    },
    "markets": {"kind": ("kind", MARKET_KINDS)},
    "offices": {},
    "findings": {
        "market": ("market_id", None),
        "code": ("code", None),
        "severity": ("severity", SEVERITIES),
        "subject": ("subject_kind", SUBJECTS),
    },
}
