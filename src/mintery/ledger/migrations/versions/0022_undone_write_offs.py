"""Write-offs that the chain undid, by settling the receipt after all: append-only, and sealed as the sixth source.

Revision: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SOURCE = 6
SQLITE_REFUSAL = """
CREATE TRIGGER undone_write_offs_no_{verb} BEFORE {verb} ON undone_write_offs
BEGIN SELECT RAISE(ABORT, 'undone_write_offs are never changed'); END
"""
POSTGRESQL_REFUSAL = """
CREATE FUNCTION undone_write_offs_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'undone_write_offs are never changed'; END $$;
CREATE TRIGGER undone_write_offs_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON undone_write_offs
FOR EACH STATEMENT EXECUTE FUNCTION undone_write_offs_refuse()
"""


def upgrade() -> None:
    op.create_table(
        "undone_write_offs",
        sa.Column("seq", INT64, sa.Identity(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("batch_id", INT64, nullable=False),
        sa.Column("at", INT64, nullable=False),
        sa.CheckConstraint("batch_id >= 1", name=op.f("ck_undone_write_offs_batch_id")),
        sa.CheckConstraint("at >= 0", name=op.f("ck_undone_write_offs_at")),
        sa.ForeignKeyConstraint(["request"], ["write_offs.request"], name=op.f("fk_undone_write_offs_request")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_undone_write_offs")),
        sa.UniqueConstraint("request", name=op.f("uq_undone_write_offs_request")),
        sqlite_strict=True,
    )
    marks = sa.table("seal_marks", sa.column("source", INT64), sa.column("through", INT64))
    op.bulk_insert(marks, [{"source": SOURCE, "through": 0}])
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(SQLITE_REFUSAL.format(verb=verb))
    else:
        op.execute(POSTGRESQL_REFUSAL)
