"""Tables of what is imported and published, drawn from the column contracts of ``schemas``.

::

    offices, prospects   contract columns, the file's own given_lat and given_lon, the geocode
    sites, contacts, opportunities   belong to a prospect
    reps, quotas, markets, territories, named_accounts   what the next plan is made of
    plans                one row per version: dates, publisher, policy, counts, digest
    plan_markets, plan_territories, plan_named_accounts, plan_reps, plan_offices
                         what the plan was made of, as it was on the day
    plan_assignments, plan_findings   what came out
    settings             facts about the store itself

A row of a ``plan_`` table never changes once its plan is published: the database itself refuses.
Times are UTC and, like days, ISO text, which sorts and compares the same everywhere; so does text,
which PostgreSQL is told to order by code point. Geometry is WKB in WGS84 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from territory import schemas
from territory.schemas import COUNTS

if TYPE_CHECKING:
    import pandera.pandas as pa

REVISION = "0010"  # the last migration; a test holds it against the scripts

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
GIVEN = {"lat": "given_lat", "lon": "given_lon"}


def _columns(
    contract: pa.DataFrameSchema,
    *,
    key: tuple[str, ...] = (),
    rename: dict[str, str] | None = None,
    references: dict[str, str] | None = None,
) -> list[Column[object]]:
    """Draw columns from a contract, so that type and nullability are said once."""
    columns: list[Column[object]] = []
    for name, column in contract.columns.items():
        kind = Double() if str(column.dtype) == "float64" else TEXT
        target = (references or {}).get(name)
        constraints = [ForeignKey(target, ondelete="CASCADE")] if target else []
        columns.append(
            Column(
                (rename or {}).get(name, name),
                kind,
                *constraints,
                primary_key=name in key,
                nullable=column.nullable and name not in key,
            )
        )
    return columns


def _text(name: str, *, required: bool = False) -> Column[object]:
    return Column(name, TEXT, nullable=not required)


def _counts(*names: str) -> list[Column[int]]:
    return [Column(name, Integer, nullable=False) for name in names]


def _plan_id() -> Column[object]:
    return Column(
        "plan_id", TEXT, ForeignKey("plans.plan_id", ondelete="CASCADE"), primary_key=True
    )


# A number by the name of each table, a higher one after every write; see ``revision_cache``.
revisions: Table = Table(
    "revisions",
    metadata,
    Column("kind", TEXT, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
settings: Table = Table(
    "settings",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("value", TEXT, nullable=False),
)
offices: Table = Table(
    "offices",
    metadata,
    *_columns(schemas.OFFICES, key=("office_id",), rename=GIVEN),
    *_columns(schemas.GEOCODE),
)
prospects: Table = Table(
    "prospects",
    metadata,
    *_columns(schemas.PROSPECTS, key=("prospect_id",), rename=GIVEN),
    *_columns(schemas.GEOCODE),
)
_PROSPECT = {"prospect_id": "prospects.prospect_id"}
sites: Table = Table(
    "sites",
    metadata,
    *_columns(schemas.SITES, key=("site_id",), rename=GIVEN, references=_PROSPECT),
    *_columns(schemas.GEOCODE),
    Index(None, "prospect_id"),
)
contacts: Table = Table(
    "contacts",
    metadata,
    *_columns(schemas.CONTACTS, key=("contact_id",), references=_PROSPECT),
    Index(None, "prospect_id"),
)
opportunities: Table = Table(
    "opportunities",
    metadata,
    *_columns(schemas.OPPORTUNITIES, key=("opportunity_id",), references=_PROSPECT),
    Index(None, "prospect_id"),
)
reps: Table = Table("reps", metadata, *_columns(schemas.REPS, key=("rep_id",)))
quotas: Table = Table(
    "quotas",
    metadata,
    *_columns(schemas.QUOTAS, key=("rep_id", "period"), references={"rep_id": "reps.rep_id"}),
)
markets: Table = Table(
    "markets",
    metadata,
    *_columns(schemas.MARKETS, key=("market_id",)),
    Column("geometry", LargeBinary, nullable=False),
)
territories: Table = Table(
    "territories",
    metadata,
    *_columns(
        schemas.TERRITORIES,
        key=("territory_id", "market_id", "segment"),
        references={"market_id": "markets.market_id"},
    ),
)
named_accounts: Table = Table(
    "named_accounts",
    metadata,
    *_columns(schemas.NAMED_ACCOUNTS, key=("prospect_id",)),
)

plans: Table = Table(
    "plans",
    metadata,
    Column("plan_id", TEXT, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    _text("name", required=True),
    _text("status", required=True),
    _text("effective_from", required=True),
    _text("published_at"),
    _text("published_by"),
    _text("policy_name", required=True),
    _text("policy_version", required=True),
    _text("policy", required=True),  # every setting, as JSON
    _text("counts", required=True),  # JSON object, name to number
    _text("digest", required=True),  # sha256 of what went in and came out; same digest, same plan
)
plan_markets: Table = Table(
    "plan_markets",
    metadata,
    _plan_id(),
    *_columns(schemas.MARKETS, key=("market_id",)),
    Column("geometry", LargeBinary, nullable=False),
    *_counts(*COUNTS, "findings"),
)
plan_territories: Table = Table(
    "plan_territories",
    metadata,
    _plan_id(),
    *_columns(schemas.TERRITORIES, key=("territory_id", "market_id", "segment")),
)
plan_named_accounts: Table = Table(
    "plan_named_accounts",
    metadata,
    _plan_id(),
    *_columns(schemas.NAMED_ACCOUNTS, key=("prospect_id",)),
)
plan_reps: Table = Table(
    "plan_reps",
    metadata,
    _plan_id(),
    *_columns(schemas.REPS, key=("rep_id",)),
    *_counts(*COUNTS),
)
plan_offices: Table = Table(
    "plan_offices",
    metadata,
    _plan_id(),
    *_columns(schemas.OFFICES, key=("office_id",), rename=GIVEN),
    *_columns(schemas.GEOCODE),
    *_counts(*COUNTS),  # of the prospects that have it as their nearest office
)
plan_assignments: Table = Table(
    "plan_assignments",
    metadata,
    _plan_id(),
    *_columns(schemas.ASSIGNMENTS, key=("prospect_id",)),
    # The facts that the rules read, so that a plan can explain itself after the CRM has moved on.
    _text("name", required=True),
    _text("status", required=True),
    _text("owner_rep_id"),
    _text("locality"),
    Column("lon", Double),
    Column("lat", Double),
    _text("precision"),
    Column("uncertainty_m", Double),
    Index(None, "plan_id", "market_id"),
    Index(None, "plan_id", "rep_id"),
)
plan_findings: Table = Table(
    "plan_findings",
    metadata,
    _plan_id(),
    *_columns(schemas.FINDINGS, key=("code", "subject_kind", "subject_id")),
    _text("market_id"),  # where the subject is, if anywhere, so that a market's page finds its own
    Index(None, "plan_id", "market_id"),
)


@dataclass(frozen=True)
class Kind:
    """What can be imported: its table, its contract and the columns that identify a row."""

    table: Table
    contract: pa.DataFrameSchema
    is_placed: bool = False
    # column of this kind -> kind that must hold the value
    references: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the columns that identify a row."""
        return tuple(column.name for column in self.table.primary_key)


_OF_PROSPECT = (("prospect_id", "prospects"),)
KINDS = {
    "offices": Kind(offices, schemas.OFFICES, is_placed=True),
    "prospects": Kind(prospects, schemas.PROSPECTS, is_placed=True),
    "reps": Kind(reps, schemas.REPS),
    "markets": Kind(markets, schemas.MARKETS),
    "territories": Kind(territories, schemas.TERRITORIES, references=(("market_id", "markets"),)),
    "named_accounts": Kind(
        named_accounts, schemas.NAMED_ACCOUNTS, references=(("territory_id", "territories"),)
    ),
    "sites": Kind(sites, schemas.SITES, is_placed=True, references=_OF_PROSPECT),
    "contacts": Kind(contacts, schemas.CONTACTS, references=_OF_PROSPECT),
    "opportunities": Kind(opportunities, schemas.OPPORTUNITIES, references=_OF_PROSPECT),
    "quotas": Kind(quotas, schemas.QUOTAS, references=(("rep_id", "reps"),)),
}
