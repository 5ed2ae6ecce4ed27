"""A gateway must not believe an endpoint that leaves events out: a deposit that is never recorded is stranded."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from tests.usecases.town import Till, now

from mintery.chain.rpc import Log, Rpc
from mintery.crypto.vouchers import account_id
from mintery.domain.voucher import Address
from mintery.errors import RpcUnavailable
from mintery.usecases.sync_chain import sync_chain


class LaggingIndex:
    """A node that has the blocks but not yet their events: the first ``lags`` ranges are empty."""

    def __init__(self, rpc: Rpc, lags: int) -> None:
        self._rpc = rpc
        self.lags = lags

    def logs(
        self, first: int, last: int, addresses: Iterable[Address], topics: Sequence[bytes] = ()
    ) -> tuple[Log, ...]:
        self.lags -= 1
        return () if self.lags >= 0 else self._rpc.logs(first, last, addresses, topics)

    def __getattr__(self, name: str) -> object:
        return getattr(self._rpc, name)


def test_an_index_that_lags_for_long_records_nothing(till: Till):
    member = till.open_account()
    lagging = replace(till.town.chain, rpc=LaggingIndex(till.town.rpc, 1_000))
    with pytest.raises(RpcUnavailable):
        sync_chain(lagging, till.ledger, till.gateway, till.alarms, now())
    assert till.ledger.last_block() is None

    till.sync()

    assert till.ledger.account(account_id(member.key)) is not None
    assert till.reconciler.reconcile(now()).differences == ()


def test_an_index_that_lags_for_a_moment_is_asked_again(till: Till):
    member = till.open_account()
    lagging = replace(till.town.chain, rpc=LaggingIndex(till.town.rpc, 1))

    sync_chain(lagging, till.ledger, till.gateway, till.alarms, now())

    assert till.ledger.account(account_id(member.key)) is not None
