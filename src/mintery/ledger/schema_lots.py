"""Lots: each deposit with what is left of it, and what used it.

Derived from transfers in the order in which these were sealed, which is the same for everybody and for ever; ``lot_uses`` is
append-only, ``lots`` changes in what remains and what was refunded alone. Nothing on the way of a paid request writes here.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint

from mintery.ledger.columns import Int64, integer, sequence, table, text

lots = table(
    "lots",
    sequence(),
    text("account", ForeignKey("accounts.id")),
    text("token"),
    text("reference"),
    *integer("transfer", least=1),
    *integer("amount", least=1),
    *integer("remaining"),
    # What refunds took, for good: nothing is given back into that room. With what remains never more than the amount (a trigger).
    *integer("refunded", least=None, default="0"),
    *integer("at"),
    # The chain took the deposit back: nothing is given back to it.
    *integer("undone_at", null=True),
    # What disputes ask for of what it was bought with, and how much of that is left in it: see ``freezing``.
    *integer("claimed", least=None, default="0"),
    *integer("frozen", least=None, default="0"),
    CheckConstraint("remaining <= amount", name="remaining_within"),
    UniqueConstraint("reference"),
    Index(None, "account", "seq"),
)
_CLAIMED = lots.c.claimed > 0
Index("ix_lots_claimed", lots.c.seq, sqlite_where=_CLAIMED, postgresql_where=_CLAIMED)

# What a lot gave (or, below zero, was given back). Without a lot: what no lot had, or what came back and fits into none.
lot_uses = table(
    "lot_uses",
    sequence(),
    Column("lot", Int64, ForeignKey("lots.seq"), nullable=True),
    text("account", ForeignKey("accounts.id")),
    *integer("transfer", least=1),
    text("kind"),
    text("request", null=True),
    *integer("amount", least=None),
    *integer("at"),
    CheckConstraint("amount <> 0", name="something"),
    Index(None, "lot", "seq"),
)
_OF_A_REQUEST = lot_uses.c.request.is_not(None)
Index("ix_lot_uses_request", lot_uses.c.request, sqlite_where=_OF_A_REQUEST, postgresql_where=_OF_A_REQUEST)
_OF_NO_LOT = lot_uses.c.lot.is_(None)
Index("ix_lot_uses_account", lot_uses.c.account, sqlite_where=_OF_NO_LOT, postgresql_where=_OF_NO_LOT)

# How far the chain of seals was followed.
lot_progress = table(
    "lot_progress",
    Column("one", Int64, primary_key=True, autoincrement=False),
    CheckConstraint("one = 1", name="one"),
    *integer("position"),
)
