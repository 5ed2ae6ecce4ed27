"""Alembic's revisions of the ledger's tables, run when a ledger is opened.

A new one: change ``schema.py``, write ``versions/<next>_<what>.py`` by hand or from Alembic's autogenerate, and append its
number to ``REVISIONS``. A test holds them to one head and to the tables of ``schema.py``.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect

REVISIONS = tuple(f"{number:04}" for number in range(1, 33))
HEAD = REVISIONS[-1]
VERSION_TABLE = "ledger_version"
FOLDER = Path(__file__).parent


def upgrade(connection: Connection) -> None:
    """Bring the tables to ``HEAD`` inside the connection's transaction. Alembic is loaded only where there is work."""
    if current_revision(connection) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 -- 0.3 s that an up-to-date ledger need not wait for
    from alembic.config import Config  # noqa: PLC0415 -- as above

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    command.upgrade(config, HEAD)


def current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()  # noqa: S608 -- a constant
    return None if found is None else str(found)
