"""A process dies at every commit of the outbox, before it and after it: what was paid for is credited once, and refunded once."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from tests.usecases.test_orders_on_chain import TWENTY, all_back, balance, bank_order, later
from tests.usecases.town import Crash, Till

from mintery.crypto.keys import PrivateKey
from mintery.domain.order import Order, Rail
from mintery.ledger.commands import Command, Result
from mintery.ledger.commands_calls import EndCall, MarkCallBroadcast, MintOrder, SaveCallAttempt
from mintery.ledger.commands_refunds import OweUnused
from mintery.ledger.store import LedgerStore
from mintery.units import parse_credits
from mintery.usecases.mint_orders import mint_orders
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.refund_lot import owe_unused
from mintery.usecases.send_calls import send_calls

KINDS = (MintOrder, SaveCallAttempt, MarkCallBroadcast, EndCall, OweUnused)


class DyingLedger:
    """At the first command of each of ``KINDS`` the process dies before it is written, at the second one after."""

    def __init__(self, ledger: LedgerStore) -> None:
        self._ledger = ledger
        self.deaths: Counter[type[Command]] = Counter()

    def commit(self, commands: Sequence[Command]) -> Sequence[Result]:
        kind = next((type(each) for each in commands if isinstance(each, KINDS)), None)
        if kind is None or self.deaths[kind] >= 2:
            return self._ledger.commit(commands)
        self.deaths[kind] += 1
        if self.deaths[kind] == 2:
            self._ledger.commit(commands)
        raise Crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


def test_whatever_dies_the_credits_come_once_and_the_money_goes_back_once(till: Till, desk: OrderDesk):
    dying = DyingLedger(till.ledger)
    mortal = desk.over(dying)  # type: ignore[arg-type]  # as the ledger, until it dies
    holder, another = PrivateKey.generate(), PrivateKey.generate()
    order, other = bank_order(till, desk, holder), bank_order(till, desk, another)
    token = till.town.chain.token(till.town.token)

    live(till, mortal, hours=range(1, 12))
    assert [balance(till, each.account) for each in (order, other)] == [20 * 10**9] * 2
    all_back(till, desk, order, holder)
    live(till, mortal, hours=range(12, 24))

    assert dying.deaths == dict.fromkeys(KINDS, 2)
    assert till.ledger.chain_calls.open() == []
    assert (balance(till, order.account), balance(till, other.account)) == (0, 20 * 10**9)
    assert (token.balance_of(holder.address), token.balance_of(another.address)) == (0, 0)
    assert token.balance_of(desk.paying().key.address) == parse_credits("20")
    (due,) = till.ledger.orders.refunds_due(Rail.BANK)
    assert (due.order, due.assets) == (order.id, TWENTY)
    assert _minted(till, order) == _minted(till, other) == 1
    till.ledger.check()


def live(till: Till, desk: OrderDesk, *, hours: range) -> None:
    for hour in hours:
        for job in (mint_orders, send_calls, owe_unused):
            with suppress(Crash):
                job(desk, later(60 * hour))
        till.sync()


def _minted(till: Till, order: Order) -> int:
    """Transactions that minted for it, of all that were tried."""
    tried = [
        each for call in till.ledger.chain_calls.of(order.id) for each in till.ledger.chain_calls.attempts_of(call.id)
    ]
    return sum(
        1
        for each in tried
        if each.call.endswith("/mint")
        and (receipt := till.town.rpc.receipt(each.tx_hash)) is not None
        and receipt.succeeded
    )
