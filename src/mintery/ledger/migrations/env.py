"""Alembic's entry: always on the connection that ``upgrade`` passes, inside its transaction."""

from alembic import context

from mintery.ledger.migrations import VERSION_TABLE
from mintery.ledger.schema import accounts

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=accounts.metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
