"""A holder's gateway keys: make, rotate, change, revoke.

A key spends by a voucher that stands here. Whoever signed it gave its secret to nobody, so it opens nothing by itself.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mintery.crypto.vouchers import account_of, check_signature
from mintery.domain.keys import (
    KEY_TEXT_PREFIX,
    LONGEST_LABEL,
    MOST_NAMES,
    NO_RULES,
    GatewayKey,
    KeyId,
    KeyRules,
    KeySecret,
    StandingVoucher,
)
from mintery.domain.limits import WAYS, LimitId, LimitPeriod, SpendLimit
from mintery.domain.voucher import Address, SignedVoucher, check_addressed, check_usable
from mintery.errors import MalformedRequest, NotVoucherOfHolder, UnknownGatewayKey
from mintery.ledger.commands import NotWritten
from mintery.ledger.commands_wallet import (
    AddStandingVoucher,
    ChangeKey,
    MakeKey,
    RevokeKey,
    RotateKey,
    SpreadAuthority,
)
from mintery.ledger.reads_wallet import KeyRecord
from mintery.units import NanoCredits
from mintery.usecases.meters import log_transition
from mintery.usecases.parts import GatewayParts

_SECRET_BYTES = 32
_HINT = 4
_FIRST_YEAR, _LAST_YEAR = 1971, 9_998


@dataclass(frozen=True, slots=True)
class NewLimit:
    """A limit that a key is made with."""

    period: LimitPeriod
    ceiling: NanoCredits


@dataclass(frozen=True, slots=True)
class NewKey:
    """What its holder wants a key to be."""

    label: str
    rules: KeyRules = NO_RULES
    expires_at: datetime | None = None
    limits: Sequence[NewLimit] = ()


@dataclass(frozen=True, slots=True)
class MadeKey:
    """``text`` is the key as an app presents it: shown once, kept nowhere."""

    record: KeyRecord
    text: str


def add_voucher(parts: GatewayParts, holder: Address, signed: SignedVoucher) -> StandingVoucher:
    """Let a voucher of the holder's stand here.

    Raises:
        NotVoucherOfHolder, WrongChain, WrongGateway, WrongToken, WrongEpoch, InvalidSignature, VoucherExpired
    """
    market = parts.market()
    check_addressed(signed, chain_id=parts.domain.chain_id, gateway=parts.gateway, tokens=market.projects)
    if signed.voucher.holder != holder:
        raise NotVoucherOfHolder(signed.voucher.holder, holder)
    digest = check_signature(signed, parts.domain)
    account = account_of(signed)
    known = parts.ledger.account(account)
    epoch = signed.voucher.epoch if known is None else known.epoch
    check_usable(signed.voucher, epoch=epoch, now=parts.chain_now(market), settle_seconds=parts.exit_delay)
    added = StandingVoucher(account, digest, signed, parts.clock())
    parts.ledger.commit([AddStandingVoucher(added)])
    return added


def make_key(parts: GatewayParts, holder: Address, voucher: StandingVoucher, wanted: NewKey) -> MadeKey:
    """A key under a voucher that stands here.

    Raises:
        MalformedRequest, KeyExpired
    """
    check_rules(parts, wanted.rules)
    _check_expiry(wanted.expires_at)
    now = parts.clock()
    key = GatewayKey(
        id=KeyId(f"key_{secrets.token_hex(8)}"),
        holder=holder,
        account=voucher.account,
        voucher=voucher.digest,
        label=_label(wanted.label),
        created_at=now,
        rules=wanted.rules,
        expires_at=wanted.expires_at,
    )
    key.check_open(now)
    secret, text = _new_secret(key.id, now)
    token = voucher.signed.voucher.token
    limits = tuple(
        SpendLimit(new_limit_id(), holder, token, each.period, each.ceiling, now, key=key.id) for each in wanted.limits
    )
    parts.ledger.commit([MakeKey(key, secret, limits)])
    parts.ledger.commit([SpreadAuthority(holder)])
    log_transition("key_made", key=key.id, holder=holder, account=key.account)
    return MadeKey(KeyRecord(key, voucher, (secret,)), text)


def rotate_key(parts: GatewayParts, holder: Address, key: KeyId, *, overlap: timedelta) -> MadeKey:
    """A new secret for a key; the old one opens it for ``overlap`` more.

    Raises:
        UnknownGatewayKey: or it is revoked.
        MalformedRequest
    """
    if not timedelta(0) <= overlap <= timedelta(days=30):
        raise MalformedRequest("an overlap is at most 30 days", field="overlap_seconds")
    now = parts.clock()
    secret, text = _new_secret(key, now)
    [result] = parts.ledger.commit([RotateKey(holder, secret, now + overlap)])
    if isinstance(result, NotWritten):
        raise UnknownGatewayKey(key)
    parts.ledger.commit([SpreadAuthority(holder)])
    log_transition("key_rotated", key=key, holder=holder, overlap_seconds=int(overlap.total_seconds()))
    return MadeKey(key_of(parts, holder, key), text)


def change_key(parts: GatewayParts, holder: Address, changed: GatewayKey) -> KeyRecord:
    """Write a key's label, rules, expiry and voucher.

    Raises:
        UnknownGatewayKey, MalformedRequest
    """
    check_rules(parts, changed.rules)
    _check_expiry(changed.expires_at)
    command = ChangeKey(holder, changed.id, _label(changed.label), changed.rules, changed.expires_at, changed.voucher)
    [result] = parts.ledger.commit([command])
    if isinstance(result, NotWritten):
        raise UnknownGatewayKey(changed.id)
    parts.ledger.commit([SpreadAuthority(holder)])
    log_transition("key_changed", key=changed.id, holder=holder)
    return key_of(parts, holder, changed.id)


def revoke_key(parts: GatewayParts, holder: Address, key: KeyId) -> KeyRecord:
    """For good, from the next request on, in every process.

    Raises:
        UnknownGatewayKey
    """
    record = key_of(parts, holder, key)
    parts.ledger.commit([RevokeKey(holder, key, parts.clock())])
    parts.ledger.commit([SpreadAuthority(holder)])
    log_transition("key_revoked", key=key, holder=holder)
    return key_of(parts, holder, record.key.id)


def key_of(parts: GatewayParts, holder: Address, key: KeyId) -> KeyRecord:
    """Raises UnknownGatewayKey: there is none, or it is another holder's."""
    record = parts.ledger.key(key)
    if record is None or record.key.holder != holder:
        raise UnknownGatewayKey(key)
    return record


def is_of_epoch(parts: GatewayParts, voucher: StandingVoucher) -> bool:
    """Whether its account is still in the epoch that it was signed for: closing one ends them all."""
    account = parts.ledger.account(voucher.account)
    return account is None or account.epoch == voucher.signed.voucher.epoch


def check_rules(parts: GatewayParts, rules: KeyRules) -> None:
    """A rule that names what is not sold here would be believed to allow something.

    Raises:
        MalformedRequest
    """
    if len(rules.models or ()) > MOST_NAMES:
        raise MalformedRequest(f"a key names at most {MOST_NAMES} models", field="models")
    for name in sorted(rules.models or ()):
        check_model_name(parts, name, field="models")
    for way in sorted(rules.ways or ()):
        check_way_name(way, field="intents")


def check_model_name(parts: GatewayParts, name: str, *, field: str) -> None:
    """Raises MalformedRequest."""
    if name not in parts.models and not parts.routes.named(parts.models, name):
        raise MalformedRequest(f"no model here is called {name[:80]!r}", field=field)


def check_way_name(way: str, *, field: str) -> None:
    """Raises MalformedRequest."""
    if way not in WAYS:
        raise MalformedRequest(f"{way[:40]!r} is no intent; there are {', '.join(WAYS)}", field=field)


def new_limit_id() -> LimitId:
    return LimitId(f"lim_{secrets.token_hex(8)}")


def _new_secret(key: KeyId, now: datetime) -> tuple[KeySecret, str]:
    text = KEY_TEXT_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    return KeySecret(hashlib.sha256(text.encode()).digest(), key, text[-_HINT:], now), text


def _check_expiry(expires_at: datetime | None) -> None:
    """Raises MalformedRequest: the calendar ends before it, or began after it."""
    if expires_at is not None and not _FIRST_YEAR <= expires_at.year <= _LAST_YEAR:
        raise MalformedRequest(f"an expiry lies between {_FIRST_YEAR} and {_LAST_YEAR}", field="expires_at")


def _label(label: str) -> str:
    """Raises MalformedRequest."""
    written = label.strip()
    if not 1 <= len(written) <= LONGEST_LABEL or not written.isprintable():
        raise MalformedRequest(f"a label has 1 to {LONGEST_LABEL} printable characters", field="label")
    return written
