"""Where blocks take their time: a settlement that waits is sent again at the same nonce with higher fees."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.chain.conftest import Anvil
from tests.usecases.town import Till, build_town, now, open_till

from mintery.chain.raw_transaction import parse_raw
from mintery.chain.rpc import connect
from mintery.crypto.vouchers import account_id
from mintery.usecases.settle_batch import BatchSent, BatchWaiting, settle_batch


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    anvil = Anvil()
    try:
        opened = open_till(build_town(connect(anvil.url), tmp_path), tmp_path / "ledger.sqlite", bump_after=90)
        yield opened
        opened.ledger.close()
    finally:
        anvil.close()


def test_a_waiting_settlement_is_bumped_and_takes_effect_once(till: Till):
    rpc = till.town.rpc
    member = till.open_account()
    till.sync()
    receipt = till.charge(member)
    rpc.request("evm_setAutomine", False)
    began = now()

    first = settle_batch(till.settlement(), began)
    assert isinstance(first, BatchSent)
    assert settle_batch(till.settlement(), began + timedelta(seconds=89)) == BatchWaiting(1, mined=False)
    till.reopen()
    second = settle_batch(till.settlement(), began + timedelta(seconds=90))
    assert isinstance(second, BatchSent)

    (record,) = till.ledger.open_batches()
    older, newer = (parse_raw(attempt.raw, action="settle") for attempt in record.attempts)
    assert (older.hash, newer.hash) == (first.tx_hash, second.tx_hash)
    assert older.nonce == newer.nonce
    assert newer.call.calldata == older.call.calldata
    assert newer.max_fee * 8 >= older.max_fee * 9
    assert newer.priority_fee * 8 >= older.priority_fee * 9

    rpc.request("evm_mine")
    till.sync()

    assert till.ledger.open_batches() == []
    assert till.ledger.spent_settled(account_id(member.key)) == receipt.cost
    mined = [rpc.receipt(attempt.tx_hash) for attempt in record.attempts]
    assert sum(tx is not None for tx in mined) == 1
    assert till.reconciler.reconcile(now()).differences == ()
