"""What each project's reserve has been: rows are only added. Supply is decimal text in credit base units, assets base units."""

from sqlalchemy import Column, Index, Text, UniqueConstraint

from mintery.ledger.columns import integer, sequence, table, text

reserve_observations = table(
    "reserve_observations",
    sequence(),
    Column("token", Text, nullable=False),
    *integer("block"),
    *integer("block_time"),
    text("supply"),
    *integer("reserve"),
    *integer("needed"),
    UniqueConstraint("token", "block"),
    Index(None, "token", "seq"),
)
