"""Tables of activities and saved views: what people keep, and no import ever touches.

::

    account_notes   what was done about a prospect: text, author, moment
    next_steps      what is to be done about it and by which day; done or replaced, never deleted
    saved_views     addresses of a list or map that a person keeps under a name

``prospect_id`` refers to no table, so that nothing written goes with a prospect whose import is
undone: it is there again once the prospect is. A merge moves it to the prospect that is kept.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, UniqueConstraint

from territory.store.tables import TEXT, metadata

account_notes: Table = Table(
    "account_notes",
    metadata,
    Column("note_id", TEXT, primary_key=True),  # random: a number would tell how many there are
    Column("number", Integer, nullable=False, unique=True),  # 1, 2, 3 ... in the order written
    Column("prospect_id", TEXT, nullable=False),
    Column("text", TEXT, nullable=False),  # empty once taken back
    Column("written_at", TEXT, nullable=False),
    Column("written_by", TEXT, nullable=False),
    Column("taken_back_at", TEXT),
    Index(None, "prospect_id", "number"),
)
next_steps: Table = Table(
    "next_steps",
    metadata,
    Column("step_id", TEXT, primary_key=True),  # random
    Column("number", Integer, nullable=False, unique=True),
    Column("prospect_id", TEXT, nullable=False),
    Column("words", TEXT, nullable=False),
    Column("due_on", TEXT, nullable=False),
    Column("set_at", TEXT, nullable=False),
    Column("set_by", TEXT, nullable=False),
    Column("outcome", TEXT),  # done, replaced; null while it is to be done
    Column("ended_at", TEXT),
    Column("ended_by", TEXT),
    Index(None, "prospect_id", "number"),
    Index(None, "outcome", "due_on"),
)
saved_views: Table = Table(
    "saved_views",
    metadata,
    Column("view_id", TEXT, primary_key=True),  # random
    Column("number", Integer, nullable=False, unique=True),
    Column("owner_id", TEXT, nullable=False),  # a user, or who sits at a machine without sign-in
    Column("name", TEXT, nullable=False),
    Column("name_key", TEXT, nullable=False),  # the name as it is compared
    Column("market_id", TEXT),  # null: the list of prospects in no market
    Column("query", TEXT, nullable=False),  # JSON object, parameter to text or list of texts
    Column("saved_at", TEXT, nullable=False),
    UniqueConstraint("owner_id", "name_key"),
)
