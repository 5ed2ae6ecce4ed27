"""The same conformance for web3.py in process and over HTTP: both take the same path."""

from collections.abc import Iterator
from typing import Any

import pytest
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractCustomError, ContractLogicError, TransactionNotFound, Web3RPCError

from mintery.chain.devchain.chain import DevChain
from mintery.crypto.hashing import checksum_address
from mintery.crypto.keys import sign_transaction

POOR = checksum_address(b"\x77" * 20)


@pytest.fixture(params=["in process", "http"])
def w3(chain: DevChain, request: pytest.FixtureRequest) -> Iterator[Web3]:
    if request.param == "in process":
        yield Web3(chain.provider())
        return
    with chain.serve(port=0) as server:
        yield Web3(HTTPProvider(server.url))


def deploy(w3: Web3, abi: list[dict[str, Any]], code: str) -> Any:
    factory = w3.eth.contract(abi=abi, bytecode=code)
    tx_hash = factory.constructor().transact({"from": w3.eth.accounts[0]})
    receipt = w3.eth.wait_for_transaction_receipt(tx_hash)
    return w3.eth.contract(address=receipt["contractAddress"], abi=abi)


def test_blocks_balances_and_identity(w3: Web3, chain: DevChain):
    assert w3.is_connected()
    assert (w3.eth.chain_id, w3.eth.block_number) == (31337, 0)
    genesis = w3.eth.get_block("earliest")
    assert genesis["hash"].to_0x_hex() == chain.genesis_hash
    assert w3.eth.get_block(genesis["hash"]) == genesis
    assert w3.eth.get_balance(w3.eth.accounts[0]) == Web3.to_wei(10_000, "ether")
    assert w3.client_version.startswith("devchain/")


def test_legacy_and_dynamic_fee_sends(w3: Web3, chain: DevChain):
    sender, receiver = w3.eth.accounts[:2]
    legacy = w3.eth.send_transaction({"from": sender, "to": receiver, "value": 1, "gasPrice": w3.eth.gas_price})
    dynamic = w3.eth.send_transaction({"from": sender, "to": receiver, "value": 1})
    fields = {
        "chainId": 31337,
        "nonce": w3.eth.get_transaction_count(sender, "pending"),
        "gas": w3.eth.estimate_gas({"from": sender, "to": receiver, "value": 1}),
        "maxFeePerGas": w3.eth.gas_price * 2,
        "maxPriorityFeePerGas": w3.eth.max_priority_fee,
        "to": receiver,
        "value": 1,
        "type": 2,
    }
    raw = w3.eth.send_raw_transaction(sign_transaction(chain.accounts[0], fields)[0])
    receipts = [w3.eth.wait_for_transaction_receipt(tx_hash) for tx_hash in (legacy, dynamic, raw)]
    assert [(receipt["status"], receipt["type"]) for receipt in receipts] == [(1, 0), (1, 2), (1, 2)]
    assert [w3.eth.get_transaction(tx_hash)["nonce"] for tx_hash in (legacy, dynamic, raw)] == [0, 1, 2]
    assert w3.eth.get_balance(receiver) == Web3.to_wei(10_000, "ether") + 3


def test_contracts_events_and_custom_errors(w3: Web3, probe_abi: list[dict[str, Any]], probe_code: str):
    probe = deploy(w3, probe_abi, probe_code)
    sender = w3.eth.accounts[0]
    receipt = w3.eth.wait_for_transaction_receipt(probe.functions.note(7, 70).transact({"from": sender}))
    probe.functions.store(5).transact({"from": sender})

    assert probe.functions.stored().call({"from": POOR}) == 5
    assert probe.functions.stored().call(block_identifier=receipt["blockHash"]) == 0
    assert probe.functions.note(1, 1).estimate_gas({"from": sender}) < 60_000
    (event,) = probe.events.Noted().process_receipt(receipt)
    assert dict(event["args"]) == {"key": 7, "value": 70}
    for query in (
        {"from_block": 0},
        {"block_hash": receipt["blockHash"]},
        {"from_block": 0, "argument_filters": {"key": 7}},
    ):
        assert probe.events.Noted().get_logs(**query) == [event]
    assert w3.eth.get_logs({"fromBlock": 0, "topics": [None, "0x" + "00" * 31 + "08"]}) == []

    for attempt in (probe.functions.fail(7, 3).call, probe.functions.fail(7, 3).transact):
        with pytest.raises(ContractCustomError) as caught:
            attempt({"from": sender})
        assert str(caught.value.data).endswith(f"{7:064x}{3:064x}")


def test_refusals_reach_the_caller(w3: Web3, chain: DevChain):
    fields = {"chainId": 31337, "nonce": 0, "gas": 21_000, "maxFeePerGas": 2 * 10**9, "maxPriorityFeePerGas": 1}
    raw, _ = sign_transaction(chain.accounts[0], {**fields, "type": 2, "to": POOR, "value": 1})
    w3.eth.send_raw_transaction(raw)
    with pytest.raises(Web3RPCError, match="nonce too low"):
        w3.eth.send_raw_transaction(raw)
    with pytest.raises(TransactionNotFound):
        w3.eth.get_transaction_receipt("0x" + "99" * 32)
    with pytest.raises((ContractLogicError, Web3RPCError), match="insufficient funds"):
        w3.eth.call({"from": POOR, "to": POOR, "value": 10**18})


def test_batches(w3: Web3):
    holder = w3.eth.accounts[0]
    with w3.batch_requests() as batch:
        batch.add(w3.eth.get_block("latest"))
        batch.add(w3.eth.get_balance(holder))
        block, balance = batch.execute()
    assert (block["number"], balance) == (0, Web3.to_wei(10_000, "ether"))
