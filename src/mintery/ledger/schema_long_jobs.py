"""Long jobs, with what each is charged by and what came of it."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Text

from mintery.ledger.columns import blob, integer, table, text

# Work that a provider takes minutes for. It is over when its request is.
long_jobs = table(
    "long_jobs",
    Column("request", Text, ForeignKey("requests.id"), primary_key=True),
    text("account", ForeignKey("accounts.id")),
    text("form"),
    # What it is charged by, as JSON: see ``domain.long_job``.
    text("quote"),
    text("shown"),
    text("tried"),
    *integer("begun_at"),
    *integer("follow_until"),
    blob("sent", null=True),
    text("upstream", null=True),
    *integer("accepted_at", null=True),
    *integer("started_at", null=True),
    *integer("progress", default="0"),
    *integer("closed_at", null=True),
    *integer("expires_at", null=True),
    text("output", null=True),
    text("failure", null=True),
    CheckConstraint("(upstream IS NULL) = (accepted_at IS NULL)", name="accepted"),
    CheckConstraint("progress <= 100", name="percent"),
    CheckConstraint("upstream IS NOT NULL OR (started_at IS NULL AND output IS NULL)", name="accepted_first"),
    CheckConstraint("closed_at IS NOT NULL OR (output IS NULL AND failure IS NULL)", name="closed_first"),
    CheckConstraint("output IS NULL OR failure IS NULL", name="one_end"),
    CheckConstraint("sent IS NULL OR upstream IS NULL", name="sent_until_accepted"),
    Index(None, "account", "begun_at"),
)
_FOLLOWED = long_jobs.c.closed_at.is_(None)
Index("ix_long_jobs_followed", long_jobs.c.begun_at, sqlite_where=_FOLLOWED, postgresql_where=_FOLLOWED)
