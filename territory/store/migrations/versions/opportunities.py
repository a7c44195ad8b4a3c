"""What a file says in columns of its own of an opportunity: open, won or lost."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("opportunities", sa.Column("outcome", TEXT, nullable=True))
