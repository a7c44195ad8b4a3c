"""Tables of imports and review: what was read, decided about places and duplicates, and jobs.

::

    imports           one row per file that was read: where every row of it went, what it replaced
    mappings          which header was which column, remembered by the set of headers of a file
    place_decisions   a pin, an accepted place, a corrected address, or "this is no place"
    geocode_answers   what online geocoders answered, so that nobody is asked twice
    pair_decisions    two prospects that a person called the same company, or not the same
    jobs              long works that outlive a browser and a server: state, progress, outcome

Sets of rows that are read and written as one (what became of each line, what was there before) are
Parquet in a single cell: a million rows cost one value, written in the import's own transaction.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, Integer, LargeBinary, Table

from territory.store.tables import TEXT, metadata

imports: Table = Table(
    "imports",
    metadata,
    Column("import_id", TEXT, primary_key=True),  # import-1, import-2 ...
    Column("number", Integer, nullable=False, unique=True),
    Column("kind", TEXT, nullable=False),  # one of KINDS
    Column("source", TEXT, nullable=False),  # the file's name
    Column("digest", TEXT, nullable=False),  # sha256 of the file's bytes
    Column("imported_at", TEXT, nullable=False),
    Column("imported_by", TEXT, nullable=False),
    Column("is_full", Boolean, nullable=False),  # the file claims to hold every row of its kind
    Column("rows", Integer, nullable=False),
    Column("buckets", TEXT, nullable=False),  # JSON object, bucket to number
    Column("changes", TEXT, nullable=False),  # JSON object, change to number
    Column("mapping", TEXT, nullable=False),  # JSON object, header to column
    Column("outcomes", LargeBinary, nullable=False),  # Parquet: what became of each line
    Column("before", LargeBinary, nullable=False),  # Parquet: rows as they were; new ones marked
    Column("undone_at", TEXT),
    Column("undone_by", TEXT),
    Column("vocabulary", TEXT),  # JSON: the headers and words of the file; null of older imports
    Index(None, "kind", "number"),
)
mappings: Table = Table(
    "mappings",
    metadata,
    Column("kind", TEXT, primary_key=True),
    Column("signature", TEXT, primary_key=True),  # of the headers, in any order
    Column("mapping", TEXT, nullable=False),  # JSON object, header to column
    Column("saved_at", TEXT, nullable=False),
    Column("saved_by", TEXT, nullable=False),
)
place_decisions: Table = Table(
    "place_decisions",
    metadata,
    Column("kind", TEXT, primary_key=True),  # offices, prospects or sites
    Column("subject_id", TEXT, primary_key=True),
    Column("decision", TEXT, nullable=False),  # pin, accepted, address, no_place
    # What the decision was made on: a digest of the address and coordinates of the file. Once they
    # change, the decision is stale and the row is placed again.
    Column("evidence", TEXT, nullable=False),
    Column("lon", Double),
    Column("lat", Double),
    Column("precision", TEXT),
    Column("uncertainty_m", Double),
    Column("street", TEXT),
    Column("city", TEXT),
    Column("state", TEXT),
    Column("postal_code", TEXT),
    Column("country", TEXT),
    Column("note", TEXT),
    Column("decided_at", TEXT, nullable=False),
    Column("decided_by", TEXT, nullable=False),
)
geocode_answers: Table = Table(
    "geocode_answers",
    metadata,
    Column("provider", TEXT, primary_key=True),
    Column("query", TEXT, primary_key=True),  # the address in one line, folded
    Column("answer", TEXT, nullable=False),  # found, or none: the provider knows no such address
    Column("lon", Double),
    Column("lat", Double),
    Column("precision", TEXT),
    Column("uncertainty_m", Double),
    Column("match_score", Double),
    Column("address", TEXT),  # as the provider writes it
    Column("asked_at", TEXT, nullable=False),
)
pair_decisions: Table = Table(
    "pair_decisions",
    metadata,
    # Of a merged pair the first is kept; of a distinct one the first sorts first.
    Column("first_id", TEXT, primary_key=True),
    Column("second_id", TEXT, primary_key=True),
    Column("decision", TEXT, nullable=False),  # merged, distinct
    Column("evidence", TEXT, nullable=False),
    Column("before", LargeBinary),  # Parquet: what a merge took away, so that it can be undone
    Column("decided_at", TEXT, nullable=False),
    Column("decided_by", TEXT, nullable=False),
    Index(None, "second_id"),
)
jobs: Table = Table(
    "jobs",
    metadata,
    Column("job_id", TEXT, primary_key=True),
    Column("work", TEXT, nullable=False),  # import, geocode ...
    Column("arguments", TEXT, nullable=False),  # JSON object
    Column("state", TEXT, nullable=False),  # waiting, running, done, failed, stopped
    Column("stage", TEXT),  # what it is doing, in words
    Column("done", Integer),
    Column("total", Integer),
    Column("outcome", TEXT),  # JSON object
    Column("error", TEXT),
    Column("attempts", Integer, nullable=False),
    Column("asked_at", TEXT, nullable=False),
    Column("asked_by", TEXT, nullable=False),
    Column("started_at", TEXT),
    Column("told_at", TEXT),  # the last sign of life
    Column("ended_at", TEXT),
    Index(None, "state"),
)
