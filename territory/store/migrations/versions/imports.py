"""Imports that can be read again and undone, decisions about places and namesakes, jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
PLACED = """
    UPDATE %s SET placement = CASE
        WHEN precision IS NULL THEN 'unplaced'
        WHEN precision IN ('rooftop', 'street') THEN 'placed'
        ELSE 'approximate' END
"""


def upgrade() -> None:
    op.create_table(
        "geocode_answers",
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("query", TEXT, nullable=False),
        sa.Column("answer", TEXT, nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("precision", TEXT, nullable=True),
        sa.Column("uncertainty_m", sa.Double(), nullable=True),
        sa.Column("match_score", sa.Double(), nullable=True),
        sa.Column("address", TEXT, nullable=True),
        sa.Column("asked_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("provider", "query", name="pk_geocode_answers"),
    )
    op.create_table(
        "imports",
        sa.Column("import_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("imported_at", TEXT, nullable=False),
        sa.Column("imported_by", TEXT, nullable=False),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("buckets", TEXT, nullable=False),
        sa.Column("changes", TEXT, nullable=False),
        sa.Column("mapping", TEXT, nullable=False),
        sa.Column("outcomes", sa.LargeBinary(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.Column("undone_at", TEXT, nullable=True),
        sa.Column("undone_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("import_id", name="pk_imports"),
        sa.UniqueConstraint("number", name="uq_imports_number"),
    )
    op.create_index("ix_imports_kind_number", "imports", ["kind", "number"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("job_id", TEXT, nullable=False),
        sa.Column("work", TEXT, nullable=False),
        sa.Column("arguments", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("stage", TEXT, nullable=True),
        sa.Column("done", sa.Integer(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("outcome", TEXT, nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", TEXT, nullable=False),
        sa.Column("asked_by", TEXT, nullable=False),
        sa.Column("started_at", TEXT, nullable=True),
        sa.Column("told_at", TEXT, nullable=True),
        sa.Column("ended_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("job_id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_state", "jobs", ["state"], unique=False)
    op.create_table(
        "mappings",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("signature", TEXT, nullable=False),
        sa.Column("mapping", TEXT, nullable=False),
        sa.Column("saved_at", TEXT, nullable=False),
        sa.Column("saved_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "signature", name="pk_mappings"),
    )
    op.create_table(
        "pair_decisions",
        sa.Column("first_id", TEXT, nullable=False),
        sa.Column("second_id", TEXT, nullable=False),
        sa.Column("decision", TEXT, nullable=False),
        sa.Column("evidence", TEXT, nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("decided_at", TEXT, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("first_id", "second_id", name="pk_pair_decisions"),
    )
    op.create_index("ix_pair_decisions_second_id", "pair_decisions", ["second_id"], unique=False)
    op.create_table(
        "place_decisions",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("subject_id", TEXT, nullable=False),
        sa.Column("decision", TEXT, nullable=False),
        sa.Column("evidence", TEXT, nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("precision", TEXT, nullable=True),
        sa.Column("uncertainty_m", sa.Double(), nullable=True),
        sa.Column("street", TEXT, nullable=True),
        sa.Column("city", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("postal_code", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("note", TEXT, nullable=True),
        sa.Column("decided_at", TEXT, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject_id", name="pk_place_decisions"),
    )
    op.add_column("offices", sa.Column("match_score", sa.Double(), nullable=True))
    op.add_column("offices", sa.Column("placement", TEXT, nullable=True))
    op.add_column("plan_offices", sa.Column("match_score", sa.Double(), nullable=True))
    op.add_column("plan_offices", sa.Column("placement", TEXT, nullable=True))
    op.add_column("prospects", sa.Column("match_score", sa.Double(), nullable=True))
    op.add_column("prospects", sa.Column("placement", TEXT, nullable=True))
    op.add_column("sites", sa.Column("match_score", sa.Double(), nullable=True))
    op.add_column("sites", sa.Column("placement", TEXT, nullable=True))
    for table in ("offices", "prospects", "sites"):  # what a plan holds of an office stays
        op.execute(PLACED % table)
