"""Jobs that providers take minutes for.

Revision: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INTEGERS = (
    *("begun_at", "follow_until", "accepted_at", "started_at", "progress", "closed_at"),
    "expires_at",
)
RULES = {
    "accepted": "(upstream IS NULL) = (accepted_at IS NULL)",
    "percent": "progress <= 100",
    "accepted_first": "upstream IS NOT NULL OR (started_at IS NULL AND output IS NULL)",
    "closed_first": "closed_at IS NOT NULL OR (output IS NULL AND failure IS NULL)",
    "one_end": "output IS NULL OR failure IS NULL",
    "sent_until_accepted": "sent IS NULL OR upstream IS NULL",
}


def upgrade() -> None:
    op.create_table(
        "long_jobs",
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("tried", sa.Text(), nullable=False),
        sa.Column("begun_at", INT64, nullable=False),
        sa.Column("follow_until", INT64, nullable=False),
        sa.Column("sent", sa.LargeBinary(), nullable=True),
        sa.Column("upstream", sa.Text(), nullable=True),
        sa.Column("accepted_at", INT64, nullable=True),
        sa.Column("started_at", INT64, nullable=True),
        sa.Column("progress", INT64, server_default="0", nullable=False),
        sa.Column("closed_at", INT64, nullable=True),
        sa.Column("expires_at", INT64, nullable=True),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        *(sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_long_jobs_{name}")) for name in INTEGERS),
        *(sa.CheckConstraint(rule, name=op.f(f"ck_long_jobs_{name}")) for name, rule in RULES.items()),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_long_jobs_request")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_long_jobs_account")),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_long_jobs")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_long_jobs_account_begun_at"), "long_jobs", ["account", "begun_at"])
    followed = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_long_jobs_followed", "long_jobs", ["begun_at"], sqlite_where=followed, postgresql_where=followed
    )
