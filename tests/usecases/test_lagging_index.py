"""A node that has a block before its events are indexed answers without them: no deposit is missed by that."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from tests.usecases.town import Member, Till, now

from mintery.chain.events import decode_log
from mintery.chain.rpc import BlockRef, Log, Rpc
from mintery.crypto.vouchers import account_id
from mintery.domain.voucher import Address
from mintery.errors import RpcUnavailable
from mintery.units import parse_credits
from mintery.usecases.exit_credits import start_exit
from mintery.usecases.sync_chain import sync_chain


class Lagging(Rpc):
    """``left_out``: the event that its index lacks, in answers of ranges, and with ``in_blocks`` of single blocks.

    ``receipts`` False: it does not give the receipts of a block, which come from no index.
    """

    def __init__(self, rpc: Rpc, left_out: str, *, in_blocks: bool = False, receipts: bool = True) -> None:
        super().__init__(rpc.wire)
        self._left_out, self._in_blocks, self._receipts = left_out, in_blocks, receipts

    def logs(self, *asked: Any, **named: Any) -> tuple[Log, ...]:
        return self._indexed(super().logs(*asked, **named))

    def block_logs(self, block_hash: str, addresses: Iterable[Address]) -> tuple[Log, ...]:
        found = super().block_logs(block_hash, addresses)
        return self._indexed(found) if self._in_blocks else found

    def receipt_logs(self, block_hash: str, addresses: Iterable[Address]) -> tuple[Log, ...] | None:
        return super().block_logs(block_hash, addresses) if self._receipts else None

    def _indexed(self, logs: tuple[Log, ...]) -> tuple[Log, ...]:
        return tuple(log for log in logs if type(decode_log(log)).__name__ != self._left_out)


def sync_by(till: Till, rpc: Rpc) -> None:
    sync_chain(replace(till.town.chain, rpc=rpc), till.ledger, till.gateway, till.alarms, now())


@pytest.fixture
def member(till: Till) -> Member:
    """Has deposited, and an exit has begun: two blocks with one event of the escrow in each."""
    opened = till.open_account("10")
    start_exit(till.town.chain, till.town.issuer, opened.key, parse_credits("4"))
    return opened


@pytest.mark.parametrize("left_out", ["Deposited", "ExitStarted"])
@pytest.mark.parametrize("in_blocks", [False, True])
def test_what_the_index_lacks_is_waited_for(till: Till, member: Member, left_out: str, in_blocks: bool):
    with pytest.raises(RpcUnavailable, match="left out"):
        sync_by(till, Lagging(till.town.rpc, left_out, in_blocks=in_blocks))
    assert till.ledger.account(account_id(member.key)) is None

    till.sync()
    account = till.ledger.account(account_id(member.key))
    assert (account.available, account.exiting) == (10 * 10**9, 4 * 10**9)


def test_what_the_index_has_is_read_without_receipts(till: Till, member: Member):
    sync_by(till, Lagging(till.town.rpc, "nothing", in_blocks=True, receipts=False))

    assert till.ledger.account(account_id(member.key)).available == 10 * 10**9


def test_receipts_tell_the_events_of_a_block(till: Till, member: Member):
    rpc, emitters = till.town.rpc, (till.town.chain.escrow.address,)
    blocks: list[BlockRef] = rpc.blocks(rpc.block().number - 3, rpc.block().number)

    for block in blocks:
        assert rpc.receipt_logs(block.hash, emitters) == rpc.block_logs(block.hash, emitters)
