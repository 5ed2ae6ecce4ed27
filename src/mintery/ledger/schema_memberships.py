"""The tables of memberships: what an account agreed to pay by the month, and the months that it paid.

An agreement stands while it has not ended; an account has at most one of each name. Facts are set once. A month is a row
beside the receipt that charged it, in one transaction with it; one begins in a calendar month at most.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint

from mintery.ledger.columns import Int64, blob, integer, sequence, table, text

memberships = table(
    "memberships",
    sequence(),
    text("account", ForeignKey("accounts.id")),
    text("name"),
    # The voucher by which months are charged, without asking anybody again.
    blob("voucher"),
    *integer("most"),
    *integer("agreed_at"),
    *integer("ended_at", null=True),
    text("ended_for", null=True),
    CheckConstraint("(ended_at IS NULL) = (ended_for IS NULL)", name="ended"),
    ForeignKeyConstraint(("account", "voucher"), ("vouchers.account", "vouchers.digest")),
)
_STANDS = memberships.c.ended_at.is_(None)
Index(
    "uq_memberships_standing",
    memberships.c.account,
    memberships.c.name,
    unique=True,
    sqlite_where=_STANDS,
    postgresql_where=_STANDS,
)

membership_months = table(
    "membership_months",
    sequence(),
    Column("membership", Int64, ForeignKey("memberships.seq"), nullable=False),
    text("account", ForeignKey("accounts.id")),
    text("name"),
    # ``2026-11``: of its beginning, UTC.
    text("month"),
    Column("request", Text, ForeignKey("requests.id"), nullable=False, unique=True),
    *integer("starts_at"),
    *integer("ends_at"),
    # The day on which its months begin, where a month has it.
    *integer("anchor", least=1),
    *integer("paid_at"),
    CheckConstraint("ends_at > starts_at", name="life"),
    CheckConstraint("anchor <= 31", name="anchor_day"),
    UniqueConstraint("account", "name", "month"),
    Index(None, "paid_at"),
    Index(None, "ends_at"),
)
