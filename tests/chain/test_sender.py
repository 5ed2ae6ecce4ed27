import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.chain.artifact import load_artifact
from mintery.chain.devchain.chain import DevChain
from mintery.chain.rpc import Call, Rpc, connect
from mintery.chain.sender import Sender
from mintery.chain.test_dollar import TestDollar
from mintery.crypto.keys import dev_key
from mintery.crypto.transactions import read_transaction
from mintery.domain.fees import Fees
from mintery.errors import MalformedInput, TransactionMissing, TransactionReplaced, TransactionReverted
from mintery.units import AssetUnits, Wei

ONE = AssetUnits(1_000_000)
OTHER = dev_key(9).address


def a_dollar(rpc: Rpc) -> TestDollar:
    receipt = Sender(rpc, dev_key(0)).send(Call("deploy", None, load_artifact("TestDollar").init_code()))
    assert receipt.created is not None
    return TestDollar(rpc, receipt.created)


@pytest.fixture
def dollar(rpc: Rpc) -> TestDollar:
    return a_dollar(rpc)


def test_a_receipt_says_what_was_paid(rpc: Rpc, dollar: TestDollar):
    sender = Sender(rpc, dev_key(1))
    before = rpc.balance(sender.address)

    receipt = dollar.mint(sender, OTHER, ONE)

    assert receipt.succeeded
    assert receipt.block == rpc.block().number
    assert before - rpc.balance(sender.address) == receipt.gas_used * receipt.gas_price
    assert [log.address for log in receipt.logs] == [dollar.address]


def test_a_refused_transaction_is_named_and_never_sent(rpc: Rpc, dollar: TestDollar):
    sender = Sender(rpc, dev_key(1))
    signed = []

    with pytest.raises(TransactionReverted) as raised:
        sender.send(dollar.call("transfer", OTHER, ONE), on_signed=lambda *_: signed.append(1))

    assert raised.value.action == "TestDollar.transfer"
    assert raised.value.error == "ERC20InsufficientBalance"
    assert raised.value.arguments == {"sender": sender.address, "balance": 0, "needed": ONE}
    assert signed == []


def test_a_limit_of_ones_own_is_simulated_too(rpc: Rpc, dollar: TestDollar):
    sender = Sender(rpc, dev_key(1))
    nonce = rpc.nonce(sender.address)

    with pytest.raises(TransactionReverted, match="ERC20InsufficientBalance"):
        sender.send(dollar.call("transfer", OTHER, ONE), gas=100_000)

    assert rpc.nonce(sender.address) == nonce


def test_a_transaction_is_saved_before_it_leaves(rpc: Rpc, dollar: TestDollar):
    sender = Sender(rpc, dev_key(1))
    saved: list[tuple[bytes, str, int]] = []

    def save(raw: bytes, tx_hash: str, nonce: int) -> None:
        assert not rpc.knows(tx_hash)
        saved.append((raw, tx_hash, nonce))

    nonce = rpc.nonce(sender.address)
    receipt = sender.send(dollar.call("mint", OTHER, ONE), on_signed=save)

    ((raw, tx_hash, saved_nonce),) = saved
    assert (tx_hash, saved_nonce) == (receipt.hash, nonce)
    assert raw[0] == 2, "EIP-1559"


def test_what_is_sent_offers_no_more_than_it_was_told_to(rpc: Rpc, dollar: TestDollar):
    sender = Sender(rpc, dev_key(1))
    fees = sender.fees_within(Wei(10**12))
    assert fees is not None
    low = Fees(Wei(fees.max_fee - 1), Wei(7))
    signed: list[bytes] = []

    sender.send(dollar.call("mint", OTHER, ONE), fees=low, on_signed=lambda raw, *_: signed.append(raw))

    (read,) = map(read_transaction, signed)
    assert Fees(read.max_fee, read.priority_fee) == low


def test_what_reverts_in_its_block_says_why(rpc: Rpc, dollar: TestDollar):
    """Two transfers of the same dollar are simulated before either is sent."""
    sender = Sender(rpc, dev_key(2))
    dollar.mint(sender, sender.address, ONE)
    transfer = dollar.call("transfer", OTHER, ONE)
    gas = sender.gas_limit(transfer)
    nonce = rpc.nonce(sender.address)
    first, second = (sender.sign(transfer, gas=gas, nonce=nonce + later) for later in (0, 1))

    sender.broadcast(first.raw)
    sender.wait(first)
    sender.broadcast(second.raw)
    with pytest.raises(TransactionReverted, match="ERC20InsufficientBalance") as raised:
        sender.wait(second)
    receipt = rpc.receipt(second.hash)
    assert receipt is not None
    assert raised.value.paid == receipt.gas_used * receipt.gas_price > 0


def test_broadcasting_twice_is_harmless(rpc: Rpc, anvil: str):
    for connected in (rpc, connect(anvil)):
        dollar = a_dollar(connected)
        sender = Sender(connected, dev_key(3))
        call = dollar.call("mint", OTHER, ONE)
        signed = sender.sign(call, gas=sender.gas_limit(call), nonce=connected.nonce(sender.address))

        sender.broadcast(signed.raw)
        sender.wait(signed)
        sender.broadcast(signed.raw)

        assert dollar.balance_of(OTHER) == ONE


def test_one_call_signed_twice_is_two_transactions(rpc: Rpc, dollar: TestDollar):
    sender = Sender(rpc, dev_key(3))
    call = dollar.call("mint", OTHER, ONE)

    first, second = (sender.sign(call, gas=100_000, nonce=0) for _ in range(2))

    assert first.hash != second.hash


def test_threads_share_a_key_without_losing_a_transaction(rpc: Rpc, dollar: TestDollar):
    senders = [Sender(rpc, dev_key(4)) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(lambda turn: dollar.mint(senders[turn % 4], OTHER, ONE), range(12)))

    assert len({receipt.hash for receipt in receipts}) == 12
    assert dollar.balance_of(OTHER) == 12 * ONE


PROCESS = """
import sys
from mintery.chain.rpc import connect
from mintery.chain.sender import Sender
from mintery.chain.test_dollar import TestDollar
from mintery.crypto.keys import dev_key
rpc = connect(sys.argv[1])
sender, dollar = Sender(rpc, dev_key(5)), TestDollar(rpc, sys.argv[2])
sys.stdin.readline()
for _ in range(4):
    dollar.mint(sender, sys.argv[3], 1_000_000)
"""


def mint_from_three_processes(url: str, dollar: TestDollar) -> None:
    programs = [
        subprocess.Popen([sys.executable, "-c", PROCESS, url, dollar.address, OTHER], stdin=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("start\n")
        program.stdin.flush()
    for program in programs:
        program.communicate(timeout=90)
    assert [program.returncode for program in programs] == [0, 0, 0]


@pytest.mark.parametrize("anvil", [(), ("--block-time", "1")], indirect=True, ids=["at once", "a block a second"])
def test_processes_share_a_key_without_losing_a_transaction(anvil: str):
    dollar = a_dollar(connect(anvil))

    mint_from_three_processes(anvil, dollar)

    assert dollar.balance_of(OTHER) == 12 * ONE


def test_processes_share_a_key_on_the_served_dev_chain(devchain: DevChain, rpc: Rpc):
    dollar = a_dollar(rpc)

    with devchain.serve(port=0) as server:
        mint_from_three_processes(server.url, dollar)

    assert dollar.balance_of(OTHER) == 12 * ONE


@pytest.mark.parametrize("anvil", [("--no-mining",)], indirect=True)
def test_a_bump_takes_the_place_of_what_waits(anvil: str):
    rpc = connect(anvil)
    sender = Sender(rpc, dev_key(6), wait_seconds=1)
    call = Call("pay", OTHER, b"", value=Wei(1))
    slow = sender.sign(call, gas=21_000, nonce=0)
    sender.broadcast(slow.raw)
    with pytest.raises(TransactionMissing, match="not in a block after 1 s"):
        sender.wait(slow)

    bumped = sender.outbid(slow)
    assert bumped is not None
    sender.broadcast(bumped.raw)
    rpc.request("evm_mine")

    assert bumped.max_fee * 1000 >= slow.max_fee * 1125
    assert bumped.priority_fee * 1000 >= slow.priority_fee * 1125
    assert sender.wait(bumped).succeeded
    with pytest.raises(TransactionReplaced):
        sender.wait(slow)


def test_a_saved_transaction_comes_back_whole(rpc: Rpc, dollar: TestDollar):
    sender = Sender(rpc, dev_key(7))
    for call in (dollar.call("mint", OTHER, ONE), Call("deploy", None, load_artifact("TestDollar").init_code())):
        signed = sender.sign(call, gas=2_000_000, nonce=rpc.nonce(sender.address))

        restored = sender.restore(call.action, signed.raw)
        sender.broadcast(restored.raw)

        assert restored == signed
        assert sender.wait(restored).hash == signed.hash


@given(st.binary(max_size=200) | st.binary(max_size=200).map(b"\x02".__add__))
def test_bytes_that_are_no_transaction_are_refused(raw: bytes):
    with pytest.raises(MalformedInput, match="no EIP-1559 transaction"):
        read_transaction(raw)
