"""Credits out of an account, and into dollars, for a holder at a page.

Only the holder may begin or cancel an exit, or redeem, so these are transactions that the holder's own wallet sends. An exit whose
delay has passed anyone may execute; the gateway does, and pays for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mintery.chain.spend_escrow import Account
from mintery.chain.wire import Call
from mintery.crypto.keys import PrivateKey
from mintery.domain.voucher import AccountKey, Address
from mintery.errors import MoveRefused, TransactionMissing, TransactionReverted
from mintery.units import AssetUnits, NanoCredits, UnixSeconds, credit_units
from mintery.usecases.meters import log_transition
from mintery.usecases.move_credits import Moved
from mintery.usecases.relay import Relay

_WHY = {
    "BalanceAboveLimit": "the amount is out of range",
    "ERC20InsufficientBalance": "your own wallet holds less than that",
    "ExitLocked": "its time is not over yet",
    "NoExitPending": "nothing is on its way out",
    "PayoutBelowMinimum": "the reserve pays less than was shown; look at it again",
    "ZeroCredits": "there is nothing to take out",
}


class ExitStep(StrEnum):
    START = "start"
    """Of an amount; a raised one waits anew."""
    CLOSE = "close"
    """Of everything; when it is executed, every voucher of the account's signer ends."""
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A transaction for ``sender``'s own wallet to sign and send. ``calldata`` at ``to``, without value."""

    chain_id: int
    sender: Address
    to: Address
    calldata: bytes


@dataclass(frozen=True, slots=True)
class Exits:
    """Accounts as the chain has them, in the order asked for. ``now``: the chain's time, which delays are counted by."""

    accounts: Sequence[Account]
    now: UnixSeconds


def read_exits(relay: Relay, keys: Sequence[AccountKey]) -> Exits:
    """Raises RpcUnavailable, RpcRefused."""
    at = relay.chain.rpc.block()
    return Exits(relay.chain.escrow.accounts_of(keys, at=at) if keys else (), relay.until(0))


def offer_exit_step(relay: Relay, key: AccountKey, step: ExitStep, amount: NanoCredits | None) -> Unsigned:
    """What would fail on chain is refused here. ``amount``: of a start alone.

    Raises:
        MoveRefused, RpcUnavailable, RpcRefused
    """
    escrow = relay.chain.escrow
    match step:
        case ExitStep.START:
            account = escrow.account_of(key)
            if not amount or credit_units(amount) > account.balance:
                raise MoveRefused("the amount is more than there is, or nothing")
            call = escrow.start_exit_call(key, credit_units(amount))
        case ExitStep.CLOSE:
            call = escrow.start_close_call(key)
        case ExitStep.CANCEL:
            call = escrow.cancel_exit_call(key)
    return _unsigned(relay, key.holder, call)


def offer_redemption(relay: Relay, holder: Address, token: Address, amount: NanoCredits) -> tuple[Unsigned, AssetUnits]:
    """Credits of the holder's own wallet into the asset; and what comes of it, at the least.

    Raises:
        MoveRefused, RpcUnavailable, RpcRefused
    """
    vault, credits_ = relay.chain.vault, credit_units(amount)
    if not credits_:
        raise MoveRefused(_WHY["ZeroCredits"])
    assets = vault.preview_redeem(token, credits_)
    return _unsigned(relay, holder, vault.redeem_call(token, credits_, min_assets=assets, receiver=holder)), assets


def execute_exit(relay: Relay, key: AccountKey) -> Moved:
    """Pay out an exit whose delay has passed. Sent by the gateway's own key.

    Raises:
        MoveRefused, RelayMissing, TooManyMoves, RelayerSpent, RpcUnavailable, RpcRefused
    """
    try:
        tx = relay.carry_out(key.holder, relay.chain.escrow.execute_exit_call(key))
    except TransactionReverted as error:
        raise MoveRefused(why(error)) from None
    except TransactionMissing as late:
        return Moved(late.tx_hash, None)
    log_transition("exit_executed", holder=key.holder, token=key.token, tx=tx.hash)
    return Moved(tx.hash, tx.block)


def send_as(relay: Relay, key: PrivateKey, to: Address, calldata: bytes) -> Moved:
    """As the wallet of ``key``'s owner would. For a local chain's holder, whose key everybody knows.

    Raises:
        MoveRefused, RpcUnavailable, RpcRefused
    """
    try:
        tx = relay.chain.sender(key).send(Call("the transaction", to, calldata))
    except TransactionReverted as error:
        raise MoveRefused(why(error)) from None
    return Moved(tx.hash, tx.block)


def why(refusal: TransactionReverted) -> str:
    return _WHY.get(refusal.error, f"the chain refuses it ({refusal.error})")


def _unsigned(relay: Relay, sender: Address, call: Call) -> Unsigned:
    """Raises MoveRefused: it would fail."""
    if call.to is None:
        raise TypeError(call.action)
    try:
        relay.chain.rpc.call(call, sender=sender)
    except TransactionReverted as error:
        raise MoveRefused(why(error)) from None
    return Unsigned(relay.chain.rpc.chain_id, sender, call.to, call.calldata)
