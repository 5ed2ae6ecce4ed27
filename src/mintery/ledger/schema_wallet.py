"""Tables of the holder's side: who is signed in. Secrets are hashes alone; instants are microseconds since 1970 UTC."""

from sqlalchemy import CheckConstraint, Column, Index, Text

from mintery.ledger.columns import blob, integer, table, text

# Each may be signed once, before it expires; what has expired goes.
sign_in_nonces = table(
    "sign_in_nonces",
    Column("nonce", Text, primary_key=True),
    *integer("expires_at"),
    Index(None, "expires_at"),
)

sign_ins = table(
    "sign_ins",
    Column("id", Text, primary_key=True),
    blob("token_hash"),
    # NULL: the gateway's operator.
    text("holder", null=True),
    *integer("began_at"),
    *integer("expires_at"),
    *integer("ended_at", null=True),
    CheckConstraint("expires_at > began_at", name="lasts"),
    Index("uq_sign_ins_token_hash", "token_hash", unique=True),
    Index(None, "expires_at"),
)
