"""Signatures that their holders took back: nothing of this gateway's sends them from then on. Never deleted."""

from sqlalchemy import PrimaryKeyConstraint

from mintery.ledger.columns import blob, integer, table, text

withdrawn_signatures = table(
    "withdrawn_signatures",
    text("token"),
    text("authorizer"),
    blob("nonce"),
    *integer("at"),
    PrimaryKeyConstraint("token", "authorizer", "nonce"),
)
