"""What a holder may have relayed, and what the relayer's key spends: so many at once, so many a day, so much gas a day.

At once is counted by each process for itself, as it is its threads that wait; the day by the ledger, for all of them. A day is
one of UTC.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mintery.chain.delivery import surely_not_taken
from mintery.chain.rpc import Call, TxReceipt
from mintery.chain.sender import Sender
from mintery.domain.voucher import Address
from mintery.errors import RelayerSpent, RpcRefused, TooManyMoves, TransactionReplaced, TransactionReverted
from mintery.ledger.commands import NotWritten
from mintery.ledger.commands_relayed import MOVES, ReserveRelay, SettleRelay
from mintery.ledger.reads import Ledger
from mintery.units import Wei, gwei_up

AT_ONCE = 2
IN_ALL = 8
A_DAY = 100
WEI_A_DAY = Wei(25 * 10**16)
MAX_FEE = Wei(100 * 10**9)
_BUSY_SECONDS = 5
_DEAR_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RelayBounds:
    """``at_once``: of one holder's in this process; ``in_all``: of everybody's. ``a_day``: of one holder's. ``wei_a_day``: what
    the key spends. ``max_fee``: wei per gas, above which nothing is relayed.
    """

    ledger: Ledger
    clock: Callable[[], datetime]
    at_once: int = AT_ONCE
    in_all: int = IN_ALL
    a_day: int = A_DAY
    wei_a_day: Wei = WEI_A_DAY
    max_fee: Wei = MAX_FEE
    _under_way: Counter[Address] = field(default_factory=Counter)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def turn(self, holder: Address) -> Iterator[None]:
        """Raises TooManyMoves."""
        with self._counting:
            if self._under_way[holder] >= self.at_once:
                raise TooManyMoves(self.at_once, "at once", retry_after=_BUSY_SECONDS)
            if self._under_way.total() >= self.in_all:
                raise TooManyMoves(self.in_all, "of everybody's at once", retry_after=_BUSY_SECONDS)
            self._under_way[holder] += 1
        try:
            yield
        finally:
            with self._counting:
                self._under_way[holder] -= 1
                if not self._under_way[holder]:
                    del self._under_way[holder]

    def send(self, sender: Sender, holder: Address, call: Call) -> TxReceipt:
        """Put ``call`` on chain at the key's cost, within what it may spend.

        Raises:
            TooManyMoves, RelayerSpent
            TransactionReverted, TransactionMissing, TransactionReplaced, RpcUnavailable, RpcRefused
        """
        now = self.clock().astimezone(UTC)
        gas = sender.gas_limit(call)
        fees = sender.fees_within(self.max_fee)
        if fees is None:
            raise RelayerSpent("blocks cost more than it offers", retry_after=_DEAR_SECONDS)
        reserved = gwei_up(Wei(gas * fees.max_fee))
        self._reserve(sender.address, holder, reserved, now)
        left: list[str] = []
        # What left and is in no block yet may cost all that was set aside for it.
        cost = reserved
        try:
            receipt = sender.send(
                call, gas=gas, fees=fees, on_signed=lambda _raw, tx_hash, _nonce: left.append(tx_hash)
            )
            cost = gwei_up(Wei(receipt.gas_used * receipt.gas_price))
        except TransactionReverted as reverted:
            if reverted.paid is not None:
                cost = gwei_up(Wei(reverted.paid))
            raise
        except TransactionReplaced:
            left.clear()
            raise
        except RpcRefused as refused:
            if surely_not_taken(refused):
                left.clear()
            raise
        finally:
            cost = cost if left else 0
            self.ledger.commit([SettleRelay(sender.address, holder, now.date(), reserved, cost, moved=bool(left))])
        return receipt

    def _reserve(self, relayer: Address, holder: Address, gwei: int, now: datetime) -> None:
        most = gwei_up(self.wei_a_day)
        (written,) = self.ledger.commit([ReserveRelay(relayer, holder, now.date(), gwei, most, self.a_day)])
        if not isinstance(written, NotWritten):
            return
        tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
        wait = int((tomorrow - now).total_seconds()) + 1
        if written.why == MOVES:
            raise TooManyMoves(self.a_day, "a day", retry_after=wait)
        raise RelayerSpent("it has paid for as much as it pays for in a day", retry_after=wait)
