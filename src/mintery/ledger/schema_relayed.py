"""What the relayer's key paid for what holders signed, each day: bounds, not books. Of ``holder`` '' is the whole day."""

from sqlalchemy import PrimaryKeyConstraint

from mintery.ledger.columns import integer, table, text

relayed = table(
    "relayed",
    text("relayer"),
    *integer("day"),
    text("holder"),
    *integer("moves"),
    *integer("gwei"),
    PrimaryKeyConstraint("relayer", "day", "holder"),
)
