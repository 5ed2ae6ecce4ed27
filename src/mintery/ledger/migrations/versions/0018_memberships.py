"""Agreements to pay for a membership by the month, and the months that were paid.

Revision: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SQLITE_REFUSAL = """
CREATE TRIGGER membership_months_no_{verb} BEFORE {verb} ON membership_months
BEGIN SELECT RAISE(ABORT, 'membership_months are never changed'); END
"""
POSTGRESQL_REFUSAL = """
CREATE FUNCTION membership_months_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'membership_months are never changed'; END $$;
CREATE TRIGGER membership_months_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON membership_months
FOR EACH STATEMENT EXECUTE FUNCTION membership_months_refuse()
"""


def upgrade() -> None:
    _memberships()
    _months()
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(SQLITE_REFUSAL.format(verb=verb))
    else:
        op.execute(POSTGRESQL_REFUSAL)


def _memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("voucher", sa.LargeBinary(), nullable=False),
        sa.Column("most", INT64, nullable=False),
        sa.Column("agreed_at", INT64, nullable=False),
        sa.Column("ended_at", INT64, nullable=True),
        sa.Column("ended_for", sa.Text(), nullable=True),
        sa.CheckConstraint("most >= 0", name=op.f("ck_memberships_most")),
        sa.CheckConstraint("agreed_at >= 0", name=op.f("ck_memberships_agreed_at")),
        sa.CheckConstraint("ended_at >= 0", name=op.f("ck_memberships_ended_at")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_for IS NULL)", name=op.f("ck_memberships_ended")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_memberships_account")),
        sa.ForeignKeyConstraint(
            ["account", "voucher"],
            ["vouchers.account", "vouchers.digest"],
            name=op.f("fk_memberships_account_voucher"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_memberships")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_memberships_standing",
        "memberships",
        ["account", "name"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _months() -> None:
    op.create_table(
        "membership_months",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        sa.Column("membership", INT64, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("starts_at", INT64, nullable=False),
        sa.Column("ends_at", INT64, nullable=False),
        sa.Column("anchor", INT64, nullable=False),
        sa.Column("paid_at", INT64, nullable=False),
        sa.CheckConstraint("starts_at >= 0", name=op.f("ck_membership_months_starts_at")),
        sa.CheckConstraint("ends_at >= 0", name=op.f("ck_membership_months_ends_at")),
        sa.CheckConstraint("anchor >= 1", name=op.f("ck_membership_months_anchor")),
        sa.CheckConstraint("paid_at >= 0", name=op.f("ck_membership_months_paid_at")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_membership_months_life")),
        sa.CheckConstraint("anchor <= 31", name=op.f("ck_membership_months_anchor_day")),
        sa.ForeignKeyConstraint(["membership"], ["memberships.seq"], name=op.f("fk_membership_months_membership")),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_membership_months_account")),
        sa.ForeignKeyConstraint(["request"], ["requests.id"], name=op.f("fk_membership_months_request")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_membership_months")),
        sa.UniqueConstraint("request", name=op.f("uq_membership_months_request")),
        sa.UniqueConstraint("account", "name", "month", name=op.f("uq_membership_months_account_name_month")),
        sqlite_strict=True,
    )
    op.create_index("ix_membership_months_paid_at", "membership_months", ["paid_at"])
    op.create_index("ix_membership_months_ends_at", "membership_months", ["ends_at"])
