"""Move credits out of a holder's wallet by the holder's one signature: to another person, or into the holder's own account.

An offer is what the wallet is asked to sign; whoever has the signature can do nothing with it but this one move, once.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mintery.chain.credit_token import Authorization
from mintery.chain.rpc import Call
from mintery.chain.sender import Sender
from mintery.crypto.authorizations import RECEIVE_TYPE, TRANSFER_TYPE, deposit_nonce
from mintery.crypto.keys import Signature
from mintery.crypto.personal_messages import split_signature
from mintery.crypto.typed_data import typed_data
from mintery.domain.voucher import AccountKey, Address
from mintery.errors import MoveRefused, ReceiverRefused, RelayMissing, TransactionMissing, TransactionReverted
from mintery.units import CreditUnits, NanoCredits, UnixSeconds, credit_units, format_nanocredits, nanocredits_down
from mintery.usecases.contract_wallets import check_deposits_by_key, check_sends_by_key
from mintery.usecases.meters import log_transition
from mintery.usecases.relay import Relay

SALT_BYTES = 32
OFFER_SECONDS = 900
"""How long a signature is good for: long enough to look at it twice."""

_WHY = {
    "InvalidAuthorizationSignature": "the signature is not the holder's",
    "AuthorizationAlreadyUsed": "this was done before",
    "AuthorizationExpired": "the signature is too old",
    "TransferNotAllowed": "the issuer allows transfers to listed addresses alone",
    "DepositNotAccepted": "the project takes nothing in any more",
}


class MoveKind(StrEnum):
    SEND = "send"
    """To another person's wallet."""
    MAKE_SPENDABLE = "make_spendable"
    """Into the holder's own account at this gateway."""


@dataclass(frozen=True, slots=True)
class Move:
    """``to`` is the holder's own address where credits are made spendable. ``salt``: 32 bytes that make it one of a kind."""

    kind: MoveKind
    holder: Address
    token: Address
    to: Address
    amount: NanoCredits
    salt: bytes
    valid_before: UnixSeconds

    @property
    def credits(self) -> CreditUnits:
        return credit_units(self.amount)


@dataclass(frozen=True, slots=True)
class Offer:
    move: Move
    typed_data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moved:
    """``block`` None: it is on its way."""

    tx_hash: str
    block: int | None


def offer_move(
    relay: Relay,
    gateway: Address,
    *,
    kind: MoveKind,
    holder: Address,
    token: Address,
    to: Address,
    amount: NanoCredits,
    signer: Address | None = None,
) -> Offer:
    """Nothing is sent, and nothing is set aside. ``signer``: of the account that credits go into; the holder where left out.

    Raises:
        ReceiverRefused, MoveRefused, RelayMissing, RpcUnavailable
        OwnTransactionNeeded, SignerNeeded: of a contract wallet.
    """
    check_receiver(relay, kind, holder=holder, to=to, token=token)
    _check_by_key(relay, gateway, Move(kind, holder, token, to, amount, b"", UnixSeconds(0)), signer or holder)
    relaying_sender(relay)
    contract = relay.chain.token(token)
    has = contract.balance_of(holder)
    if amount <= 0 or has < credit_units(amount):
        there = format_nanocredits(nanocredits_down(has))
        raise MoveRefused(f"the wallet holds {there} credits and {format_nanocredits(amount)} were asked for")
    move = Move(kind, holder, token, to, amount, secrets.token_bytes(SALT_BYTES), relay.until(OFFER_SECONDS))
    nonce, receiver, struct_type = _authorized(relay, gateway, move)
    asked = typed_data(
        struct_type,
        holder,
        receiver,
        move.credits,
        0,
        move.valid_before,
        nonce,
        name=contract.token_name(),
        version="1",
        chain_id=relay.chain.rpc.chain_id,
        contract=token,
    )
    return Offer(move, asked)


def relay_move(relay: Relay, gateway: Address, move: Move, signature: str) -> Moved:
    """Put it on chain. What would fail there is refused here, and costs nothing.

    Raises:
        MalformedInput, ReceiverRefused, MoveRefused, RelayMissing, RpcUnavailable
        TooManyMoves, RelayerSpent: the gateway pays for no more now.
        OwnTransactionNeeded, SignerNeeded: of a contract wallet.
    """
    check_receiver(relay, move.kind, holder=move.holder, to=move.to, token=move.token)
    _check_by_key(relay, gateway, move, move.holder)
    nonce, receiver, _ = _authorized(relay, gateway, move)
    r, vs = split_signature(signature)
    signed = Authorization(
        move.holder, receiver, move.credits, UnixSeconds(0), move.valid_before, nonce, Signature(r, vs)
    )
    try:
        tx = relay.carry_out(move.holder, _call(relay, gateway, move, signed))
    except TransactionReverted as error:
        raise MoveRefused(_WHY.get(error.error, f"the chain refuses it ({error.error})")) from None
    except TransactionMissing as late:
        log_transition("move_sent", move=move.kind.value, token=move.token, tx=late.tx_hash)
        return Moved(late.tx_hash, None)
    log_transition("moved", move=move.kind.value, token=move.token, amount=move.amount, tx=tx.hash)
    return Moved(tx.hash, tx.block)


def check_receiver(relay: Relay, kind: MoveKind, *, holder: Address, to: Address, token: Address) -> None:
    """Whether credits that go there come to a person.

    Raises:
        ReceiverRefused
    """
    if kind is MoveKind.MAKE_SPENDABLE:
        return
    if int(to, 16) == 0:
        raise ReceiverRefused(to, "nobody has this address, and what is sent there is lost")
    if to == holder:
        raise ReceiverRefused(to, "it is your own")
    contracts = {contract.address for contract in relay.chain.deployment.contracts.values()}
    if to == token or to in contracts:
        raise ReceiverRefused(to, "it belongs to a program of this service, which could not give the credits back")


def _check_by_key(relay: Relay, gateway: Address, move: Move, signer: Address) -> None:
    """Whether a key of the holder's own can sign for it. Raises OwnTransactionNeeded, SignerNeeded, MalformedInput."""
    if move.kind is MoveKind.SEND:
        check_sends_by_key(relay.chain, move.holder, move.token, move.to, move.credits)
    else:
        account = AccountKey(move.token, gateway, move.holder, signer)
        check_deposits_by_key(relay.chain, account, move.credits)


def _authorized(relay: Relay, gateway: Address, move: Move) -> tuple[bytes, Address, str]:
    """The authorization's nonce and receiver, and its type."""
    if move.kind is MoveKind.SEND:
        return move.salt, move.to, TRANSFER_TYPE
    return deposit_nonce(_account(gateway, move), move.credits, move.salt), relay.chain.escrow.address, RECEIVE_TYPE


def _account(gateway: Address, move: Move) -> AccountKey:
    return AccountKey(move.token, gateway, move.holder, move.holder)


def _call(relay: Relay, gateway: Address, move: Move, signed: Authorization) -> Call:
    if move.kind is MoveKind.SEND:
        return relay.chain.token(move.token).authorized_transfer_call(signed)
    return relay.chain.escrow.authorized_deposit_call(_account(gateway, move), move.salt, signed)


def relaying_sender(relay: Relay) -> Sender:
    """Raises RelayMissing."""
    if relay.sender is None:
        raise RelayMissing
    return relay.sender
