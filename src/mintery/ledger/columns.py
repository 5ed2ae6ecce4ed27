"""The kinds of columns that the ledger's tables are made of."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Integer, LargeBinary, MetaData, Table, Text

UINT96_DIGITS = 29

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Int64 = BigInteger().with_variant(Integer(), "sqlite")


def table(name: str, *parts: Any) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True)


def integer(name: str, *, least: int | None = 0, null: bool = False, default: str | None = None) -> list[Any]:
    """A BIGINT column and its lower bound."""
    column = Column(name, Int64, nullable=null, server_default=default)
    return [column] if least is None else [column, CheckConstraint(f"{name} >= {least}", name=name)]


def text(name: str, *rest: Any, null: bool = False) -> Column[str]:
    return Column(name, Text, *rest, nullable=null)


def blob(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)


def sequence() -> Column[int]:
    """Counts rows in the order of their commit."""
    return Column("seq", Int64, Identity(), primary_key=True)
