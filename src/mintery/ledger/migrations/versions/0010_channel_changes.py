"""What an operator set of channels: an append-only record of its own, sealed as the fourth source.

Revision: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SOURCE = 4
SQLITE_REFUSAL = """
CREATE TRIGGER channel_changes_no_{verb} BEFORE {verb} ON channel_changes
BEGIN SELECT RAISE(ABORT, 'channel_changes are never changed'); END
"""
POSTGRESQL_REFUSAL = """
CREATE FUNCTION channel_changes_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'channel_changes are never changed'; END $$;
CREATE TRIGGER channel_changes_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON channel_changes
FOR EACH STATEMENT EXECUTE FUNCTION channel_changes_refuse()
"""


def upgrade() -> None:
    op.create_table(
        "channel_changes",
        sa.Column("seq", INT64, sa.Identity(always=False), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("setting", sa.Text(), nullable=False),
        sa.Column("revision", INT64, nullable=False),
        sa.Column("earlier", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", INT64, nullable=False),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_channel_changes_revision")),
        sa.CheckConstraint("at >= 0", name=op.f("ck_channel_changes_at")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_channel_changes")),
        sa.UniqueConstraint(
            "scope", "subject", "setting", "revision", name=op.f("uq_channel_changes_scope_subject_setting_revision")
        ),
        sqlite_strict=True,
    )
    marks = sa.table("seal_marks", sa.column("source", INT64), sa.column("through", INT64))
    op.bulk_insert(marks, [{"source": SOURCE, "through": 0}])
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(SQLITE_REFUSAL.format(verb=verb))
    else:
        op.execute(POSTGRESQL_REFUSAL)
