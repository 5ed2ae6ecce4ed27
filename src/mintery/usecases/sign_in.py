"""Who stands before the wallet's pages: a holder who signed a message (by a key, or as a contract wallet), the owner of a dev chain,
or the operator.

A token is 32 random bytes that the browser or program keeps; the ledger has its hash alone. The operator's is hashed together
with the operator key, so that whoever changes the key ends all of them.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mintery.crypto.hashing import parse_address
from mintery.crypto.personal_messages import is_signed_by, personal_digest
from mintery.crypto.sign_in_nonces import RANDOM_BYTES, nonce_end, seal_nonce
from mintery.domain.sign_in import (
    LONGEST_OF_CONTRACT,
    LONGEST_SIGN_IN,
    NONCE_LIFE,
    Nonce,
    SignIn,
    SignInId,
    Site,
    check_sign_in,
    parse_sign_in,
)
from mintery.domain.voucher import Address
from mintery.errors import MalformedInput, NotOperator, SignInRefused
from mintery.ledger.commands import NotWritten
from mintery.ledger.commands_wallet import BeginSignIn, EndSignIn
from mintery.units import UnixSeconds
from mintery.usecases.contract_wallets import check_wallet_signed, read_signature
from mintery.usecases.meters import log_transition
from mintery.usecases.parts import GatewayParts

TOKEN_PREFIX = "ms_"  # noqa: S105 -- how the token of a program begins, not a token
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in with the token that opens it, which is nowhere else."""

    sign_in: SignIn
    token: str


def offer_nonce(parts: GatewayParts) -> Nonce:
    """Written nowhere until somebody signs in by it: whoever asks for many costs nothing, and takes nobody else's away."""
    end = UnixSeconds(int((parts.clock() + NONCE_LIFE).timestamp()))
    text = seal_nonce(parts.settler, _ledger_of(parts), end, secrets.token_bytes(RANDOM_BYTES))
    return Nonce(text, datetime.fromtimestamp(end, UTC))


def _offered(parts: GatewayParts, text: str, now: datetime) -> Nonce:
    """Raises SignInRefused."""
    end = nonce_end((parts.settler, *parts.former_settlers), _ledger_of(parts), text)
    if end is None or end <= now.timestamp():
        raise SignInRefused("the nonce was not offered, or has expired")
    return Nonce(text, datetime.fromtimestamp(end, UTC))


def _ledger_of(parts: GatewayParts) -> str:
    return f"{parts.domain.chain_id}/{parts.domain.escrow}"


def sign_in(
    parts: GatewayParts, site: Site, message: str, signature: str, *, before_asking: Callable[[], None] = lambda: None
) -> Begun:
    """Whoever signed ``message``, which was shown at ``site``, with a nonce of ours that nobody has used.

    A key's signature counts before any code is looked at, as in the contracts. Where no key of the holder's signed, a contract
    wallet is asked, at the newest block that the endpoints agree on; ``before_asking`` may refuse to. Its sign-in lasts
    ``LONGEST_OF_CONTRACT``.

    Raises:
        SignInRefused: WalletNotDeployed among others.
        ChainError: the wallet cannot be asked now.
    """
    now = parts.clock()
    signed = parse_sign_in(message)
    check_sign_in(signed, site=site, chain_id=parts.domain.chain_id, now=now)
    nonce = _offered(parts, signed.nonce, now)
    try:
        holder, raw = parse_address(signed.address), read_signature(signature)
    except MalformedInput:
        raise SignInRefused("the signature cannot be read") from None
    if is_signed_by(message, raw, holder):
        return _begin(parts, holder, now, nonce)
    if parts.relay is None:
        raise SignInRefused(f"{holder} did not sign it")
    before_asking()
    check_wallet_signed(parts.relay.chain.rpc, holder, personal_digest(message), raw)
    return _begin(parts, holder, now, nonce, life=LONGEST_OF_CONTRACT)


def sign_in_as_dev(parts: GatewayParts, key: str) -> Begun:
    """The holder whose key everybody knows, on a chain where nothing is worth anything.

    Raises:
        SignInRefused: another key, or this is no such chain.
    """
    dev = parts.dev_holder
    if dev is None or not hmac.compare_digest(hashlib.sha256(key.encode()).digest(), dev.key_hash):
        raise SignInRefused("this is not the test key that `mintery up` printed")
    return _begin(parts, dev.holder.address, parts.clock(), None)


def sign_in_as_operator(parts: GatewayParts, key: str) -> Begun:
    """Raises NotOperator."""
    if not hmac.compare_digest(hashlib.sha256(key.encode()).digest(), parts.operator_key_hash):
        raise NotOperator
    return _begin(parts, None, parts.clock(), None)


def _begin(
    parts: GatewayParts,
    holder: Address | None,
    now: datetime,
    nonce: Nonce | None,
    *,
    life: timedelta = LONGEST_SIGN_IN,
) -> Begun:
    """Raises SignInRefused."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    begun = SignIn(SignInId(f"sin_{secrets.token_hex(8)}"), holder, now, now + life)
    hashed = _hash_of(parts, token, operator=holder is None)
    [result] = parts.ledger.commit([BeginSignIn(begun, hashed, nonce)])
    if isinstance(result, NotWritten):
        raise SignInRefused(result.why)
    log_transition("signed_in", sign_in=begun.id, holder=holder or "operator")
    return Begun(begun, token)


def signed_in(parts: GatewayParts, token: str) -> SignIn | None:
    """The holder's sign-in that ``token`` opens."""
    found = parts.ledger.sign_in_by_token(_hash_of(parts, token, operator=False), parts.clock())
    return None if found is None or found.holder is None else found


def operator_signed_in(parts: GatewayParts, token: str) -> SignIn | None:
    found = parts.ledger.sign_in_by_token(_hash_of(parts, token, operator=True), parts.clock())
    return None if found is None or found.holder is not None else found


def sign_out(parts: GatewayParts, ended: SignIn) -> None:
    parts.ledger.commit([EndSignIn(ended.id, parts.clock())])
    log_transition("signed_out", sign_in=ended.id)


def _hash_of(parts: GatewayParts, token: str, *, operator: bool) -> bytes:
    return hashlib.sha256((parts.operator_key_hash if operator else b"") + token.encode()).digest()
