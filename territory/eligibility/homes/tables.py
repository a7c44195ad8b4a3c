"""The tables of the home store: one home per row, and what was purged.

``commitment`` is a digest of the address as given, with the salt as its key. Decisions elsewhere
bear it; without the salt nobody can tell which home it was, not even by trying all addresses.
"""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, MetaData, Table, Text

FORMAT = "territory homes 1"

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)
TEXT = Text().with_variant(Text(collation="C"), "postgresql")

homes_format = Table("homes_format", metadata, Column("format", TEXT, primary_key=True))
homes = Table(
    "homes",
    metadata,
    Column("commitment", TEXT, primary_key=True),
    Column("salt", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("given", TEXT, nullable=False),  # JSON object: the address and coordinates as given
    Column("lon", Double),
    Column("lat", Double),
    Column("precision", TEXT),
    Column("uncertainty_m", Double),
    Column("geocode_source", TEXT),
    Column("fault", TEXT),
    Column("kept_at", TEXT, nullable=False),
    Column("keep_until", TEXT, nullable=False),  # ISO day: purged by age from then on
    Index(None, "subject"),
    Index(None, "keep_until"),
)
purges = Table(
    "purges",
    metadata,
    Column("commitment", TEXT, primary_key=True),
    Column("purged_at", TEXT, nullable=False),
    Column("purged_by", TEXT, nullable=False),
    Column("why", TEXT, nullable=False),  # asked, age
)
