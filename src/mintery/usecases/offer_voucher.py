"""What a holder's wallet is asked to sign, so that keys may spend: a voucher whose secret nobody has."""

import secrets
from dataclasses import dataclass
from typing import Any

from mintery.crypto.typed_data import typed_data
from mintery.crypto.vouchers import VOUCHER_TYPE, account_id, account_of
from mintery.domain.voucher import KEY_HASH_BYTES, AccountKey, Address, Voucher
from mintery.errors import MalformedRequest, WrongToken
from mintery.units import MAX_NANOCREDITS, NanoCredits, UnixSeconds, credit_units
from mintery.usecases.contract_wallets import check_signer
from mintery.usecases.parts import GatewayParts

LONGEST_DAYS = 3_660
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class VoucherOffer:
    """``more`` is what it allows beyond ``spent``, which the account has spent in this epoch."""

    voucher: Voucher
    spent: NanoCredits
    more: NanoCredits
    usable_until: UnixSeconds
    typed_data: dict[str, Any]


def offer_voucher(
    parts: GatewayParts, holder: Address, token: Address, *, more: NanoCredits, days: int, signer: Address | None = None
) -> VoucherOffer:
    """One signature that lets keys spend ``more`` of the holder's account within ``days``. ``signer``: whose signature, and so
    which account; the holder's own where left out.

    The key hash is drawn by lot, so there is no secret that opens the voucher: what the chain shows of it cannot be spent, and
    neither can what this gateway keeps of it, but by its keys.

    Raises:
        WrongToken, MalformedRequest
        SignerNeeded: a contract was to sign.
    """
    signs = signer or holder
    check_signer(parts.relay, holder, signs)
    market = parts.market()
    if token not in market.projects:
        raise WrongToken(token)
    if not 1 <= days <= LONGEST_DAYS:
        raise MalformedRequest(f"a voucher lasts 1 to {LONGEST_DAYS} days", field="days")
    known = parts.ledger.account(account_id(AccountKey(token, parts.gateway, holder, signs)))
    epoch, spent = (0, NanoCredits(0)) if known is None else (known.epoch, known.spent)
    if not 0 < more <= MAX_NANOCREDITS - spent:
        raise MalformedRequest("the amount is out of range", field="credits")
    usable_until = UnixSeconds(parts.chain_now(market) + days * _DAY)
    voucher = Voucher(
        token=token,
        gateway=parts.gateway,
        holder=holder,
        epoch=epoch,
        max_spend=credit_units(NanoCredits(spent + more)),
        deadline=UnixSeconds(usable_until + parts.exit_delay),
        key_hash=secrets.token_bytes(KEY_HASH_BYTES),
    )
    asked = typed_data(
        VOUCHER_TYPE,
        voucher.token,
        voucher.gateway,
        voucher.holder,
        voucher.epoch,
        voucher.max_spend,
        voucher.deadline,
        voucher.key_hash,
        name="Mintery",
        version="1",
        chain_id=parts.domain.chain_id,
        contract=parts.domain.escrow,
    )
    return VoucherOffer(voucher, spent, more, usable_until, asked)


def spendable_by_keys(parts: GatewayParts, key: AccountKey) -> NanoCredits:
    """What the widest voucher still allows that a working key or a standing membership of the account is paid by. All vouchers of
    an account share its one counter: one for a new purpose that left these out would be used up by what they spend.
    """
    own, now = parts.ledger.account(account_id(key)), parts.clock()
    if own is None:
        return NanoCredits(0)
    records = [each for each in parts.ledger.keys(key.holder) if each.key.revoked_at is None]
    working = [each.voucher.signed for each in records if each.key.expires_at is None or now < each.key.expires_at]
    joined = [each.signed for each in parts.ledger.memberships.of(holder=key.holder) if each.ended_at is None]
    revoked = parts.ledger.revoked_vouchers(key.holder)
    rooms = [
        signed.voucher.max_nanocredits - own.spent
        for signed in (*working, *joined)
        if account_of(signed) == own.id
        and signed.voucher.epoch == own.epoch
        and (own.id, signed.voucher.key_hash) not in revoked
    ]
    return NanoCredits(max(0, *rooms) if rooms else 0)
