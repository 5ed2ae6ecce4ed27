"""Everything that may act for a holder without asking again, in one list, each with its end.

Each kind of permission is a source of its own: what is new adds its source to ``SOURCES``.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

from mintery.domain.authority import Authority, AuthorityKind
from mintery.domain.keys import KeyId
from mintery.domain.sign_in import SignInId
from mintery.domain.voucher import AccountId, Address, SignedVoucher
from mintery.errors import UnknownAuthority
from mintery.ledger.commands_wallet import EndSignIn, RevokeVoucher, SpreadAuthority
from mintery.units import UnixSeconds
from mintery.usecases.hold_memberships import end_membership
from mintery.usecases.keep_keys import is_of_epoch, revoke_key
from mintery.usecases.meters import log_transition
from mintery.usecases.parts import GatewayParts
from mintery.usecases.signatures import Signatures


class Source(Protocol):
    """One kind of permission."""

    @property
    def kinds(self) -> Sequence[AuthorityKind]:
        """What the ids that it gives begin with."""

    def of(self, parts: GatewayParts, holder: Address) -> Iterator[Authority]:
        """Those that stand."""

    def revoke(self, parts: GatewayParts, holder: Address, authority: Authority) -> None:
        """End one of them, from the next request on."""


class Keys:
    kinds = (AuthorityKind.KEY, AuthorityKind.BUDGET)

    def of(self, parts: GatewayParts, holder: Address) -> Iterator[Authority]:
        now = parts.clock()
        limits = parts.ledger.spend_limits(holder)
        for record in parts.ledger.keys(holder):
            key = record.key
            if key.revoked_at is not None or (key.expires_at is not None and now >= key.expires_at):
                continue
            if not is_of_epoch(parts, record.voucher):
                continue
            own = [limit for limit in limits if limit.key == key.id]
            named = sorted(key.rules.models or ()) + sorted(key.rules.ways or ())
            yield Authority(
                f"{AuthorityKind.BUDGET if own else AuthorityKind.KEY}:{key.id}",
                AuthorityKind.BUDGET if own else AuthorityKind.KEY,
                key.label,
                key.created_at,
                token=record.voucher.signed.voucher.token,
                most=own[0].ceiling if own else None,
                terms=(*(f"a {limit.period}" for limit in own[:1]), *named),
                until=key.expires_at,
            )

    def revoke(self, parts: GatewayParts, holder: Address, authority: Authority) -> None:
        revoke_key(parts, holder, KeyId(_name_of(authority)))


class Vouchers:
    """Those that stand here for keys, and those that apps have spent by. One that no app has shown yet is not known here."""

    kinds = (AuthorityKind.VOUCHER,)

    def of(self, parts: GatewayParts, holder: Address) -> Iterator[Authority]:
        now, market = parts.clock(), parts.reading()[0]
        revoked = parts.ledger.revoked_vouchers(holder)
        standing = {
            (each.account, each.signed.voucher.key_hash): each for each in parts.ledger.standing_vouchers(holder)
        }
        found: dict[tuple[AccountId, bytes], SignedVoucher] = {}
        for account, signed in (
            *((each.account, each.signed) for each in standing.values()),
            *parts.ledger.vouchers_of(holder),
        ):
            known = found.get(key := (account, signed.voucher.key_hash))
            if known is None or known.voucher.max_spend < signed.voucher.max_spend:
                found[key] = signed
        for (account, key_hash), signed in sorted(found.items()):
            voucher, held = signed.voucher, parts.ledger.account(account)
            until = UnixSeconds(voucher.deadline - parts.exit_delay)
            if (account, key_hash) in revoked or until < parts.chain_now(market):
                continue
            if held is not None and held.epoch != voucher.epoch:
                continue
            stands = standing.get((account, key_hash))
            yield Authority(
                f"{AuthorityKind.VOUCHER}:{account}:{key_hash.hex()}",
                AuthorityKind.VOUCHER,
                "for your keys here" if stands is not None else "an app's key (mv1)",
                None if stands is None else stands.added_at,
                token=voucher.token,
                most=voucher.max_nanocredits,
                terms=("in all",),
                until=max(now, datetime.fromtimestamp(until, UTC)),
            )

    def revoke(self, parts: GatewayParts, holder: Address, authority: Authority) -> None:
        account, _, key_hash = _name_of(authority).partition(":")
        parts.ledger.commit([RevokeVoucher(holder, AccountId(account), bytes.fromhex(key_hash), parts.clock())])
        parts.ledger.commit([SpreadAuthority(holder)])


class Memberships:
    kinds = (AuthorityKind.MEMBERSHIP,)

    def of(self, parts: GatewayParts, holder: Address) -> Iterator[Authority]:
        for each in parts.ledger.memberships.of(holder=holder):
            if each.ended_at is None:
                yield Authority(
                    f"{AuthorityKind.MEMBERSHIP}:{each.account}:{each.name}",
                    AuthorityKind.MEMBERSHIP,
                    each.name,
                    each.agreed_at,
                    token=each.key.token,
                    most=each.most,
                    terms=("a month",),
                )

    def revoke(self, parts: GatewayParts, holder: Address, authority: Authority) -> None:  # noqa: ARG002 -- as all sources are asked
        account, _, name = _name_of(authority).partition(":")
        end_membership(parts, AccountId(account), name, only_of=None)


class SignIns:
    kinds = (AuthorityKind.SIGN_IN,)

    def of(self, parts: GatewayParts, holder: Address) -> Iterator[Authority]:
        for each in parts.ledger.sign_ins(holder, parts.clock()):
            yield Authority(
                f"{AuthorityKind.SIGN_IN}:{each.id}",
                AuthorityKind.SIGN_IN,
                "signed in to this wallet",
                each.began_at,
                until=each.expires_at,
            )

    def revoke(self, parts: GatewayParts, holder: Address, authority: Authority) -> None:  # noqa: ARG002 -- as all sources are asked
        parts.ledger.commit([EndSignIn(SignInId(_name_of(authority)), parts.clock())])


SOURCES: Sequence[Source] = (Keys(), Memberships(), Vouchers(), Signatures(), SignIns())


def list_authorities(parts: GatewayParts, holder: Address) -> Sequence[Authority]:
    """Everything that stands."""
    return [each for source in SOURCES for each in source.of(parts, holder)]


def revoke_authority(parts: GatewayParts, holder: Address, wanted: str) -> Authority:
    """End one, from the next request on, in every process.

    Raises:
        UnknownAuthority: the holder has none of this id that stands.
    """
    for source in SOURCES:
        if wanted.partition(":")[0] not in tuple(source.kinds):
            continue
        for authority in source.of(parts, holder):
            if authority.id == wanted:
                source.revoke(parts, holder, authority)
                log_transition("authority_revoked", holder=holder, kind=authority.kind.value)
                return authority
    raise UnknownAuthority(wanted)


def _name_of(authority: Authority) -> str:
    return authority.id.partition(":")[2]
