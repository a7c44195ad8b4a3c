"""Tables of eligibility: policies, decisions, exceptions. No home is in them.

::

    eligibility_policies     one row per version: a draft until published, then frozen
    eligibility_decisions    one row per decision, never changed: its record, and what to find it by
    eligibility_exceptions   who is eligible whatever the distance, until when, by whose leave

``subject`` is a reference of a person, never a name; ``home`` is a commitment, which leads to an
address only as long as the home store holds it. Distances are in the record alone.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table

from territory.store.tables import TEXT, metadata

eligibility_policies = Table(
    "eligibility_policies",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("version", TEXT, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("status", TEXT, nullable=False),  # draft, published
    Column("rule", TEXT, nullable=False),  # JSON object: every setting but exceptions
    Column("digest", TEXT, nullable=False),
    Column("saved_at", TEXT, nullable=False),
    Column("saved_by", TEXT, nullable=False),
    Column("published_at", TEXT),
    Column("published_by", TEXT),
)
eligibility_decisions = Table(
    "eligibility_decisions",
    metadata,
    Column("decision_id", TEXT, primary_key=True),  # E-2026-000001
    Column("number", Integer, nullable=False, unique=True),
    Column("subject", TEXT),
    Column("home", TEXT),
    Column("role", TEXT),
    Column("decided_on", TEXT, nullable=False),  # the day that was decided for
    Column("decided_at", TEXT, nullable=False),
    Column("decided_by", TEXT, nullable=False),
    Column("policy_name", TEXT, nullable=False),
    Column("policy_version", TEXT, nullable=False),
    Column("decision", TEXT, nullable=False),
    Column("basis", TEXT, nullable=False),
    Column("office_id", TEXT),
    Column("digest", TEXT, nullable=False, unique=True),  # of the record: the same is kept once
    Column("record", TEXT, nullable=False),  # JSON, as ``eligibility_record.canonical`` has it
    Index(None, "subject", "number"),
    Index(None, "policy_name", "number"),
    Index(None, "decided_on"),
)
eligibility_exceptions = Table(
    "eligibility_exceptions",
    metadata,
    Column("exception_id", TEXT, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("policy_name", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("approver", TEXT, nullable=False),
    Column("granted_on", TEXT, nullable=False),
    Column("expires_on", TEXT, nullable=False),
    Column("set_at", TEXT, nullable=False),
    Column("set_by", TEXT, nullable=False),
    Column("revoked_at", TEXT),
    Column("revoked_by", TEXT),
    Index(None, "policy_name", "subject"),
)
