import socket

import pytest

from mintery.chain.artifact import load_artifact
from mintery.chain.rpc import Call, Rpc, connect
from mintery.chain.sender import Sender
from mintery.chain.test_dollar import TestDollar
from mintery.crypto.keys import dev_key
from mintery.errors import RpcRefused, RpcUnavailable, TransactionReverted
from mintery.units import AssetUnits


@pytest.fixture
def dollar(rpc: Rpc) -> TestDollar:
    receipt = Sender(rpc, dev_key(0)).send(Call("deploy", None, load_artifact("TestDollar").init_code()))
    assert receipt.created is not None
    return TestDollar(rpc, receipt.created)


def test_reads_are_pinned_to_their_block(rpc: Rpc, dollar: TestDollar):
    sender = Sender(rpc, dev_key(1))
    dollar.mint(sender, sender.address, AssetUnits(1))
    then = rpc.block()
    dollar.mint(sender, sender.address, AssetUnits(1))

    assert dollar.balance_of(sender.address, at=then) == 1
    assert dollar.balance_of(sender.address) == 2


def test_a_pin_to_a_block_that_was_reorganised_away_fails(anvil: str):
    rpc = connect(anvil)
    sender = Sender(rpc, dev_key(0))
    receipt = sender.send(Call("deploy", None, load_artifact("TestDollar").init_code()))
    assert receipt.created is not None
    dollar = TestDollar(rpc, receipt.created)
    snapshot = rpc.request("evm_snapshot")
    dollar.mint(sender, sender.address, AssetUnits(1))
    gone = rpc.block()
    rpc.request("evm_revert", snapshot)

    with pytest.raises(RpcRefused):
        dollar.balance_of(sender.address, at=gone)


def test_nobody_there(rpc: Rpc):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(RpcUnavailable, match=f"127.0.0.1:{port}"):
        connect(f"http://127.0.0.1:{port}", timeout=1)


def test_somebody_else_there():
    """A port that takes connections and never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()

        with pytest.raises(RpcUnavailable, match="no answer in time"):
            connect(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)


def test_a_block_that_is_not_there_yet(rpc: Rpc):
    with pytest.raises(RpcRefused, match="no block 0x"):
        rpc.block(10_000)


def test_what_the_node_refuses_keeps_its_own_words(rpc: Rpc):
    with pytest.raises(RpcRefused, match="eth_nonsense") as raised:
        rpc.request("eth_nonsense")

    assert raised.value.code == -32601


def test_panics_and_errors_of_nobodys_contract_are_told_apart(rpc: Rpc):
    nobodys = bytes.fromhex("63deadbeef5f526004601cfd")  # reverts with 0xdeadbeef
    panic = bytes.fromhex("634e487b715f526011602052" + "6024601cfd")  # reverts with Panic(0x11)

    with pytest.raises(TransactionReverted) as unnamed:
        rpc.call(Call("probe", None, nobodys))
    with pytest.raises(TransactionReverted) as panicked:
        rpc.call(Call("probe", None, panic))

    assert (unnamed.value.error, unnamed.value.arguments) == ("Unnamed", {"revert": "0xdeadbeef"})
    assert (panicked.value.error, panicked.value.arguments) == ("Panic", {"code": 0x11})
