"""Tables of the holder's side: who is signed in, and what may spend. Secrets are hashes alone; instants are microseconds since
1970 UTC.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
)

from mintery.ledger.columns import blob, integer, table, text

# Those that were used, each for longer than it is good: nobody signs in by one again. Offering one writes nothing.
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

# One row for each holder that ever set anything. ``authority`` counts the changes of what the holder allows: an account has
# the number of its holder's last change, and a hold is placed by nothing that was read before it.
holders = table(
    "holders",
    Column("holder", Text, primary_key=True),
    *integer("authority"),
    text("time_zone", null=True),
)

standing_vouchers = table(
    "standing_vouchers",
    text("account"),
    blob("digest"),
    *integer("chain_id"),
    text("token"),
    text("gateway"),
    text("holder"),
    text("signer"),
    *integer("epoch"),
    text("max_spend"),
    *integer("deadline"),
    blob("key_hash"),
    blob("r"),
    blob("vs"),
    *integer("added_at"),
    PrimaryKeyConstraint("account", "digest"),
    Index(None, "holder"),
)

voucher_revocations = table(
    "voucher_revocations",
    text("account"),
    blob("key_hash"),
    text("holder"),
    *integer("at"),
    PrimaryKeyConstraint("account", "key_hash"),
)

gateway_keys = table(
    "gateway_keys",
    Column("id", Text, primary_key=True),
    text("holder"),
    text("account"),
    blob("voucher"),
    text("label"),
    # JSON lists; NULL: any.
    text("models", null=True),
    text("ways", null=True),
    *integer("created_at"),
    *integer("expires_at", null=True),
    *integer("revoked_at", null=True),
    ForeignKeyConstraint(("account", "voucher"), ("standing_vouchers.account", "standing_vouchers.digest")),
    Index(None, "holder"),
)

key_secrets = table(
    "key_secrets",
    Column("hash", LargeBinary, primary_key=True),
    Column("key", Text, ForeignKey("gateway_keys.id"), nullable=False, index=True),
    text("hint"),
    *integer("made_at"),
    *integer("ends_at", null=True),
)

spend_limits = table(
    "spend_limits",
    Column("id", Text, primary_key=True),
    text("holder"),
    text("token"),
    text("period"),
    *integer("ceiling"),
    Column("key", Text, ForeignKey("gateway_keys.id"), nullable=True),
    text("model", null=True),
    text("way", null=True),
    *integer("set_at"),
    *integer("ended_at", null=True),
    CheckConstraint("period IN ('day', 'week', 'month')", name="period"),
    Index(None, "holder", "token"),
)

# A limit's level that was reached in the period that began on ``first``.
limit_alerts = table(
    "limit_alerts",
    text("limit_id"),
    text("first"),
    *integer("level", least=1),
    *integer("at"),
    PrimaryKeyConstraint("limit_id", "first", "level"),
)
