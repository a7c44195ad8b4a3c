"""Bring a database to the tables of this version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from territory.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection


def configure(connection: Connection | None = None) -> Config:
    """Make Alembic's configuration without a file; the scripts lie in this package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, address: str) -> None:
    """Run every migration that the database lacks, inside the caller's transaction.

    Raises
    ------
    StoreError
        If the database was written by a newer version.
    """
    config = configure(connection)
    revisions = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None and revision not in revisions:
        raise StoreError(
            f"{address} was written by a newer version (its tables are at {revision!r}). "
            "Upgrade territory-mapper."
        )
    command.upgrade(config, "head")
