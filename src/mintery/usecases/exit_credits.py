"""Credits out of the escrow, back to the wallet: start, cancel, execute; and a settler's instant release."""

from dataclasses import dataclass

from mintery.chain.events import ExitExecuted, ExitStarted, Released, events_of
from mintery.chain.rpc import TxReceipt
from mintery.chain.sender import Sender
from mintery.domain.voucher import AccountKey
from mintery.units import CreditUnits, UnixSeconds
from mintery.usecases.onchain import OnChain


@dataclass(frozen=True, slots=True)
class StartedExit:
    """``unlock``: from then on anyone may execute it. ``closing`` takes everything and ends the epoch."""

    credits: CreditUnits
    unlock: UnixSeconds
    closing: bool
    tx: TxReceipt


@dataclass(frozen=True, slots=True)
class ExecutedExit:
    """``credits`` went to the holder; ``epoch`` is the account's afterwards."""

    credits: CreditUnits
    epoch: int
    tx: TxReceipt


def start_exit(chain: OnChain, holder: Sender, key: AccountKey, credits_: CreditUnits) -> StartedExit:
    """Starts or replaces the account's timed exit; raising the amount restarts the timer.

    Raises:
        TransactionReverted: NotWholeNanocredits, ZeroCredits, BalanceAboveLimit.
    """
    return _started(chain, chain.escrow.start_exit(holder, key, credits_))


def start_close(chain: OnChain, holder: Sender, key: AccountKey) -> StartedExit:
    """A timed exit of everything, which ends the epoch and with it every voucher of this signer."""
    return _started(chain, chain.escrow.start_close(holder, key))


def cancel_exit(chain: OnChain, holder: Sender, key: AccountKey) -> TxReceipt:
    """Raises TransactionReverted: NoExitPending."""
    return chain.escrow.cancel_exit(holder, key)


def execute_exit(chain: OnChain, sender: Sender, key: AccountKey) -> ExecutedExit:
    """Anyone may send it; it pays the holder min(amount, balance).

    Raises:
        TransactionReverted: ExitLocked, NoExitPending, ZeroCredits.
    """
    tx = chain.escrow.execute_exit(sender, key)
    executed = next(events_of(tx.logs, chain.escrow.address, ExitExecuted))
    return ExecutedExit(executed.credits, executed.epoch, tx)


def release_credits(chain: OnChain, settler: Sender, key: AccountKey, credits_: CreditUnits) -> CreditUnits:
    """A settler of the account's gateway gives credits back to the holder at once.

    Raises:
        TransactionReverted: NotSettler, ReleaseAboveBalance.
    """
    tx = chain.escrow.release(settler, key, credits_)
    return next(events_of(tx.logs, chain.escrow.address, Released)).credits


def _started(chain: OnChain, tx: TxReceipt) -> StartedExit:
    started = next(events_of(tx.logs, chain.escrow.address, ExitStarted))
    return StartedExit(started.credits, started.unlock, started.closing, tx)
