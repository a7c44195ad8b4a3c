"""The headers and words of each imported file, so that the next one shows only what is new."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("imports", sa.Column("vocabulary", TEXT, nullable=True))
