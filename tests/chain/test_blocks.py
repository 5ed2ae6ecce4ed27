from dataclasses import replace
from typing import Any

import pytest

from mintery.chain.blocks import read_blocks
from mintery.chain.deployment import load_deployment
from mintery.chain.events import EpochReported
from mintery.chain.rpc import BlockRef, Rpc
from mintery.errors import RpcRefused, RpcUnavailable


@pytest.fixture
def reported(world: Any) -> tuple[int, int]:
    """A range of blocks with a price report in it."""
    first = world.rpc.block().number + 1
    sku = 1
    world.report({sku: world.contracts.oracle.current_price(sku)[1]})
    return first, world.rpc.block().number


class Reorganising(Rpc):
    """The same chain, as it looks from a node that changes its mind ``times`` between headers and logs."""

    def __init__(self, rpc: Rpc, times: int) -> None:
        super().__init__(rpc.wire)
        self._left = times

    def blocks(self, first: int, last: int) -> list[BlockRef]:
        blocks = super().blocks(first, last)
        if not self._left:
            return blocks
        self._left -= 1
        return [replace(block, hash="0x" + "ee" * 32, parent="0x" + "ee" * 32) for block in blocks]


def test_headers_and_logs_of_two_chains_are_read_again(world: Any, reported: tuple[int, int]):
    deployment = load_deployment(world.path)

    blocks = read_blocks(Reorganising(world.rpc, times=2), deployment, *reported)

    assert blocks == read_blocks(world.rpc, deployment, *reported)
    assert [type(entry.event) for block in blocks for entry in block.events] == [EpochReported]


def test_a_chain_that_never_stands_still_is_no_answer(world: Any, reported: tuple[int, int]):
    with pytest.raises(RpcUnavailable, match="changed while they were read"):
        read_blocks(Reorganising(world.rpc, times=3), load_deployment(world.path), *reported)


def test_a_broken_line_of_parents_is_noticed_without_any_log(world: Any):
    class Gap(Rpc):
        def blocks(self, first: int, last: int) -> list[BlockRef]:
            blocks = super().blocks(first, last)
            return [*blocks[:-1], replace(blocks[-1], parent="0x" + "ee" * 32)]

    with pytest.raises(RpcUnavailable, match="changed while they were read"):
        read_blocks(Gap(world.rpc.wire), load_deployment(world.path), 0, 2)


def test_blocks_that_are_not_there_yet(world: Any):
    head = world.rpc.block().number

    with pytest.raises(RpcRefused, match=f"no block {head + 1:#x}"):
        read_blocks(world.rpc, load_deployment(world.path), head, head + 1)
