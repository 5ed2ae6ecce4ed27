"""Refunds of what is left of a lot: set aside when asked for, until the chain has released it."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Text

from mintery.ledger.columns import Int64, integer, table, text

lot_refunds = table(
    "lot_refunds",
    Column("id", Text, primary_key=True),
    Column("lot", Int64, ForeignKey("lots.seq"), nullable=False),
    text("account", ForeignKey("accounts.id")),
    *integer("amount", least=1),
    # wallet: the credits are the holder's to redeem; rail: they go to the treasury, and the money back to the rail.
    text("way"),
    *integer("asked_at"),
    # Where the chain released it; empty again if the chain left that block.
    text("released", null=True),
    *integer("failed_at", null=True),
    text("failed_why", null=True),
    # The refund over the rail that it became.
    text("refund", ForeignKey("refunds.id"), null=True),
    CheckConstraint("way IN ('wallet', 'rail')", name="way"),
    CheckConstraint("(failed_at IS NULL) = (failed_why IS NULL)", name="failed_why"),
    CheckConstraint("failed_at IS NULL OR released IS NULL", name="one_ending"),
    CheckConstraint("refund IS NULL OR way = 'rail'", name="rail_refund"),
    Index(None, "lot"),
)
_SET_ASIDE = lot_refunds.c.released.is_(None) & lot_refunds.c.failed_at.is_(None)
Index("ix_lot_refunds_open", lot_refunds.c.account, sqlite_where=_SET_ASIDE, postgresql_where=_SET_ASIDE)
_RELEASED = lot_refunds.c.released.is_not(None)
Index(
    "uq_lot_refunds_released", lot_refunds.c.released, unique=True, sqlite_where=_RELEASED, postgresql_where=_RELEASED
)

# What following a lot's transfers needs of its refunds (see ``lot_books``): the last transfer before one was asked for, and
# before it failed. ``followed``: 1 while its release, followed to its lot, stands.
lot_set_asides = table(
    "lot_set_asides",
    Column("refund", Text, ForeignKey("lot_refunds.id"), primary_key=True),
    text("account", ForeignKey("accounts.id")),
    *integer("asked_after"),
    *integer("failed_after", null=True),
    *integer("followed", default="0"),
    CheckConstraint("followed <= 1", name="followed_flag"),
)
_UNFOLLOWED = lot_set_asides.c.followed == 0
Index("ix_lot_set_asides_account", lot_set_asides.c.account, sqlite_where=_UNFOLLOWED, postgresql_where=_UNFOLLOWED)

# Where the chain released a refund, wherever that was: what it left is here too.
lot_releases = table(
    "lot_releases",
    Column("place", Text, primary_key=True),
    text("refund", ForeignKey("lot_refunds.id")),
)
