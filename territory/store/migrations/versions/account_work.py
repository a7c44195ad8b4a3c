"""What people keep: notes and next steps about accounts, and views saved under a name."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "account_notes",
        sa.Column("note_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("prospect_id", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("written_at", TEXT, nullable=False),
        sa.Column("written_by", TEXT, nullable=False),
        sa.Column("taken_back_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("note_id", name="pk_account_notes"),
        sa.UniqueConstraint("number", name="uq_account_notes_number"),
    )
    op.create_table(
        "next_steps",
        sa.Column("step_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("prospect_id", TEXT, nullable=False),
        sa.Column("words", TEXT, nullable=False),
        sa.Column("due_on", TEXT, nullable=False),
        sa.Column("set_at", TEXT, nullable=False),
        sa.Column("set_by", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=True),
        sa.Column("ended_at", TEXT, nullable=True),
        sa.Column("ended_by", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("step_id", name="pk_next_steps"),
        sa.UniqueConstraint("number", name="uq_next_steps_number"),
    )
    op.create_table(
        "saved_views",
        sa.Column("view_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("owner_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("name_key", TEXT, nullable=False),
        sa.Column("market_id", TEXT, nullable=True),
        sa.Column("query", TEXT, nullable=False),
        sa.Column("saved_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("view_id", name="pk_saved_views"),
        sa.UniqueConstraint("number", name="uq_saved_views_number"),
        sa.UniqueConstraint("owner_id", "name_key", name="uq_saved_views_owner_id_name_key"),
    )
    for table, columns in (
        ("account_notes", ["prospect_id", "number"]),
        ("next_steps", ["prospect_id", "number"]),
        ("next_steps", ["outcome", "due_on"]),
    ):
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns, unique=False)
