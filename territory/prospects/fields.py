"""Fields of a prospect: what each is called, where it comes from, and where it is shown.

A field is declared here and nowhere else. Snapshots, filters and their counts, query strings, the
API, orders, colours, sizes, lists and files follow from ``FIELDS`` and from the uses below it. To
add a filter, declare its field and put its name into ``FILTERS``, and into ``API`` if programs may
ask for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from territory.labels import PLACEMENT, PRECISION, SEGMENT, STATUS
from territory.policy import SEGMENTS
from territory.schemas import PLACEMENTS, PRECISIONS, STATUSES, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Mapping

# How a snapshot stores a field: as text, code of a value, float32, bool, days since 1970 or float64
# degrees; a detail is in no snapshot, but in the files and on the page of the prospect.
Kind = Literal["text", "choice", "number", "flag", "day", "degrees", "detail"]
# Where it comes from: the assignments of the plan, the company as it is now, its opportunities,
# whether there are rows of another table, or the score.
Source = Literal["plan", "company", "pipeline", "contacts", "sites", "findings", "score"]


@dataclass(frozen=True)
class Field:
    """One field of a prospect.

    Parameters
    ----------
    name
        In addresses, forms and parameters of the API.
    column
        In snapshots, frames and files; one that ends in ``_mi`` is stored in metres.
    stored
        Its column in ``source``, where it is called otherwise there; a flag of plan or company
        tells whether that is filled in.
    label
        The title of its filter; ``legend`` that of its colours, where it is another.
    values
        All that a choice can be, in order; None where the data decide.
    words
        What pages call the values.
    missing
        What pages say where there is no value.
    is_leading
        Whether its filter stands open at the top.
    yes, no
        What the filter of a flag says; ``no`` is offered always or, else, only while it is chosen.
    steps
        Where one size of a symbol ends and the next begins.
    is_exported
        Whether it is in files and answers of the API, in the order of ``FIELDS``.
    """

    name: str
    column: str
    kind: Kind
    source: Source
    stored: str = ""
    label: str = ""
    legend: str = ""
    values: tuple[str, ...] | None = None
    words: Mapping[str, str] = field(default_factory=dict, hash=False)
    missing: str = "Not known"
    is_leading: bool = False
    yes: str = ""
    no: str = ""
    offers_no: bool = False
    steps: tuple[float, float, float] | None = None
    is_exported: bool = True

    @property
    def source_column(self) -> str:
        """Its column in ``source``."""
        return self.stored or self.column

    @property
    def title(self) -> str:
        """What a legend calls it."""
        return self.legend or self.label[:1].lower() + self.label[1:]

    @property
    def offered(self) -> tuple[str, ...] | None:
        """The values that an address may ask for; None: any."""
        return ("1", "0") if self.kind == "flag" else self.values


def _detail(column: str, source: Source = "plan") -> Field:
    return Field(column, column, "detail", source)


FIELDS = (
    Field("prospect_id", "prospect_id", "text", "plan"),
    Field("name", "name", "text", "plan"),
    Field("status", "status", "choice", "plan", label="Status", values=STATUSES, words=STATUS,
          is_leading=True),
    Field("segment", "segment", "choice", "plan", label="Segment", values=SEGMENTS, words=SEGMENT,
          is_leading=True),
    _detail("street", "company"),
    Field("city", "city", "choice", "company"),
    Field("state", "state", "choice", "company", label="State"),
    _detail("postal_code", "company"),
    _detail("country", "company"),
    Field("lat", "lat", "degrees", "plan"),
    Field("lon", "lon", "degrees", "plan"),
    Field("precision", "precision", "choice", "plan", label="Precision of the location",
          values=PRECISIONS, words=PRECISION),
    Field("uncertainty", "uncertainty_mi", "number", "plan", stored="uncertainty_m"),
    Field("market", "market_id", "choice", "plan"),
    _detail("market_name"),
    Field("territory", "territory_id", "choice", "plan"),
    _detail("territory_name"),
    Field("rep", "rep_id", "choice", "plan", label="Rep", missing="Nobody"),
    _detail("rep_name"),
    _detail("rule"),
    _detail("reason"),
    Field("office", "nearest_office_id", "choice", "plan", label="Nearest office"),
    _detail("nearest_office_name"),
    Field("miles", "distance_mi", "number", "plan", stored="distance_m",
          label="Miles to the nearest office"),
    Field("verdict", "verdict", "choice", "plan", label="Straight line to the nearest office",
          legend="distance", values=VERDICTS, is_leading=True),
    _detail("website", "company"),
    Field("industry", "industry", "choice", "company", label="Industry"),
    Field("employees", "employees", "number", "company", label="Employees",
          steps=(100.0, 1_000.0, 10_000.0)),
    Field("revenue", "revenue_usd", "number", "company", label="Revenue, $",
          steps=(10e6, 100e6, 1e9)),
    Field("stage", "stage", "choice", "pipeline", label="Stage",
          missing="No open opportunity"),
    Field("pipeline", "pipeline_usd", "number", "pipeline", label="Pipeline, $",
          steps=(1.0, 100e3, 1e6)),
    Field("last_activity", "last_activity_on", "day", "pipeline"),
    Field("placement", "placement", "choice", "company", label="Placement", values=PLACEMENTS,
          words=PLACEMENT, is_exported=False),
    Field("score", "score", "number", "score", label="Score", steps=(25.0, 50.0, 75.0),
          is_exported=False),
    Field("has_contacts", "has_contacts", "flag", "contacts", yes="Contact on file",
          no="No contact on file", offers_no=True, is_exported=False),
    Field("is_multi_site", "is_multi_site", "flag", "sites", yes="Several sites", no="One site",
          is_exported=False),
    Field("has_findings", "has_findings", "flag", "findings", yes="With findings",
          no="Without findings", is_exported=False),
)  # fmt: skip

# The uses of fields by name, each in the order in which it offers them.
FILTERS = (
    "status", "segment", "verdict", "stage", "industry", "rep", "office", "state", "precision",
    "placement",
    "has_contacts", "is_multi_site", "has_findings",
    "employees", "revenue", "pipeline", "miles", "score",
)  # fmt: skip
COLOURS = ("segment", "status", "verdict", "stage", "industry", "precision", "rep", "office")
SIZES = ("score", "employees", "revenue", "pipeline")
API = ("market", "rep", "status", "segment", "verdict")  # of plan or company alone
LISTED = (
    "lon", "lat", "miles", "employees", "pipeline", "score", "status", "segment", "verdict",
    "stage", "city", "state", "industry",
)  # fmt: skip
SEARCHED = ("name", "city", "state", "industry")


@dataclass(frozen=True)
class Order:
    """An order of lists: the column it goes by, and what it is called that way and turned round."""

    column: str
    is_largest_first: bool
    words: str
    turned: str


ORDERS = {
    "score": Order("score", True, "best score first", "lowest score first"),
    "name": Order("name", False, "by company", "by company, Z to A"),
    "distance": Order(
        "distance_mi", False, "nearest to an office first", "farthest from an office first"
    ),
    "employees": Order("employees", True, "most employees first", "fewest employees first"),
    "revenue": Order("revenue_usd", True, "largest revenue first", "smallest revenue first"),
    "pipeline": Order("pipeline_usd", True, "largest pipeline first", "smallest pipeline first"),
    "stale": Order("touched", False, "longest without activity first", "latest activity first"),
}

BY_NAME = {one.name: one for one in FIELDS}
BY_COLUMN = {one.column: one for one in FIELDS}


def _columns(*kinds: Kind) -> tuple[str, ...]:
    return tuple(one.column for one in FIELDS if one.kind in kinds)


def _used(names: tuple[str, ...], kind: Kind) -> tuple[Field, ...]:
    return tuple(BY_NAME[name] for name in names if BY_NAME[name].kind == kind)


TEXTS, CHOICES = _columns("text"), _columns("choice")
NUMBERS, FLAGS = _columns("number"), _columns("flag")
SNAPSHOT_COLUMNS = _columns("text", "choice", "number", "flag", "day", "degrees")
EXPORTED_COLUMNS = tuple(one.column for one in FIELDS if one.is_exported)
CHOICE_FILTERS, FLAG_FILTERS = _used(FILTERS, "choice"), _used(FILTERS, "flag")
RANGE_FILTERS = _used(FILTERS, "number")
