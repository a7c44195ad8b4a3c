"""Where Alembic enters: it runs on the connection, and in the transaction, that it is handed."""

from alembic import context

from territory.store import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
# No transaction of Alembic's own: the caller's covers the whole upgrade, or none of it.
context.run_migrations()
