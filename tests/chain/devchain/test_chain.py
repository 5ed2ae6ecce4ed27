"""The JSON-RPC methods, called in process."""

import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from mintery.chain.devchain.chain import DevChain
from mintery.chain.devchain.faults import (
    EXECUTION_REVERTED,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    SERVER_ERROR,
    RpcFault,
)
from mintery.crypto.hashing import keccak
from mintery.crypto.keys import PrivateKey, sign_transaction

POOR = "0x" + "77" * 20
ETHER = 10**18
Calldata = Callable[..., str]


def balance(chain: DevChain, address: str, block: Any = "latest") -> int:
    return int(chain.rpc("eth_getBalance", [address, block]), 16)


def raw(key: PrivateKey, **fields: Any) -> str:
    """A signed EIP-1559 transfer, with ``fields`` over its defaults."""
    defaults: dict[str, Any] = {
        "type": 2,
        "chainId": 31337,
        "nonce": 0,
        "gas": 21_000,
        "maxFeePerGas": 3 * 10**9,
        "maxPriorityFeePerGas": 10**9,
        "to": POOR,
        "value": 1,
    }
    return "0x" + sign_transaction(key, defaults | fields)[0].hex()


def send(chain: DevChain, **fields: Any) -> dict[str, Any]:
    """Send from account 0 and return the receipt."""
    tx_hash = chain.rpc("eth_sendTransaction", [{"from": chain.accounts[0].address, **fields}])
    receipt: dict[str, Any] = chain.rpc("eth_getTransactionReceipt", [tx_hash])
    return receipt


def refusal(chain: DevChain, method: str, *params: Any) -> RpcFault:
    with pytest.raises(RpcFault) as caught:
        chain.rpc(method, params)
    return caught.value


def test_the_ten_development_accounts_are_funded(chain: DevChain):
    assert chain.accounts[0].address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert chain.accounts[1].address == "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    assert chain.rpc("eth_accounts") == [account.address.lower() for account in chain.accounts]
    assert {balance(chain, account.address) for account in chain.accounts} == {10_000 * ETHER}
    assert chain.rpc("eth_chainId") == hex(31337)
    assert chain.rpc("net_version") == "31337"


def test_every_start_is_a_chain_of_its_own_unless_its_genesis_time_is_fixed():
    def genesis(fixed: int | None) -> str:
        with DevChain(genesis_time=fixed, wall=lambda: 1_800_000_000) as chain:
            assert chain.rpc("eth_getBlockByNumber", ["0x0", False])["hash"] == chain.genesis_hash
            return chain.genesis_hash

    assert genesis(None) != genesis(None)
    assert genesis(1_700_000_000) == genesis(1_700_000_000)


def test_a_burst_of_transactions_does_not_move_the_clock():
    with DevChain(wall=lambda: 1_800_000_000) as chain:
        for _ in range(50):
            send(chain, to=POOR, value="0x1", gas="0x5208")
        assert int(chain.rpc("eth_getBlockByNumber", ["latest", False])["timestamp"], 16) == 1_800_000_000


def test_the_chain_id_binds_transactions_and_is_what_contracts_see(chain: DevChain):
    fault = refusal(chain, "eth_sendRawTransaction", raw(chain.accounts[0], chainId=1))
    assert "invalid chain id for signer: have 1 want 31337" in fault.message
    chain_id_code = "0x465f5260205ff3"  # CHAINID PUSH0 MSTORE, return the word
    assert int(chain.rpc("eth_call", [{"data": chain_id_code}]), 16) == 31337


def test_an_account_without_ether_may_call(chain: DevChain, probe: str, calldata: Calldata):
    send(chain, to=probe, data=calldata("store", 42))
    for body in ({"data": calldata("stored")}, {"input": calldata("stored")}):
        assert int(chain.rpc("eth_call", [{"from": POOR, "to": probe, **body}, "latest"]), 16) == 42
    assert balance(chain, POOR) == 0


def test_a_call_leaves_no_trace(chain: DevChain, probe: str, calldata: Calldata):
    before = chain.rpc("eth_getBlockByNumber", ["latest", False])
    chain.rpc("eth_call", [{"to": probe, "data": calldata("store", 1)}])
    assert int(chain.rpc("eth_call", [{"to": probe, "data": calldata("stored")}]), 16) == 0
    assert chain.rpc("eth_getBlockByNumber", ["latest", False]) == before


def test_a_call_sees_the_state_and_the_context_of_its_block(chain: DevChain, probe: str, calldata: Calldata):
    first = send(chain, to=probe, data=calldata("store", 1))
    send(chain, to=probe, data=calldata("store", 2))

    def at(name: str, block: Any) -> int:
        return int(chain.rpc("eth_call", [{"to": probe, "data": calldata(name)}, block]), 16)

    for block in (first["blockNumber"], {"blockHash": first["blockHash"]}, first["blockHash"]):
        assert at("stored", block) == 1
        assert at("number", block) == int(first["blockNumber"], 16)
    head = int(chain.rpc("eth_blockNumber"), 16)
    for tag in ("latest", "safe", "finalized"):
        assert (at("stored", tag), at("number", tag)) == (2, head)
    assert at("number", "pending") == head + 1
    parent = chain.rpc("eth_getBlockByNumber", [hex(head - 1), False])
    assert at("parent", "latest") == int(parent["hash"], 16)
    assert chain.rpc("eth_call", [{"to": probe, "data": calldata("stored")}, "earliest"]) == "0x"


def test_reads_take_any_block(chain: DevChain, probe: str, calldata: Calldata):
    send(chain, to=probe, data=calldata("store", 9))
    before = {"blockNumber": "0x1"}
    assert chain.rpc("eth_getCode", [probe, "0x0"]) == "0x"
    assert len(chain.rpc("eth_getCode", [probe, before])) > 100
    assert chain.rpc("eth_getStorageAt", [probe, "0x0", before]) == "0x" + "00" * 32
    assert int(chain.rpc("eth_getStorageAt", [probe, "0x0", "latest"]), 16) == 9
    assert chain.rpc("eth_getTransactionCount", [chain.accounts[0].address, "0x1"]) == "0x1"
    assert chain.rpc("eth_getTransactionCount", [chain.accounts[0].address, "pending"]) == "0x2"
    assert refusal(chain, "eth_getBalance", POOR, "0x99").message == "header not found"
    assert refusal(chain, "eth_call", {"to": POOR}, {"blockHash": "0x" + "99" * 32}).code == SERVER_ERROR


def test_a_revert_carries_its_bytes(chain: DevChain, probe: str, calldata: Calldata):
    wanted = "0x" + (keccak(b"Broken(uint256,uint256)")[:4] + (7).to_bytes(32, "big") + (3).to_bytes(32, "big")).hex()
    for method in ("eth_call", "eth_estimateGas", "eth_sendTransaction"):
        request = {"from": chain.accounts[0].address, "to": probe, "data": calldata("fail", 7, 3)}
        fault = refusal(chain, method, request)
        assert (fault.code, fault.message, fault.payload) == (EXECUTION_REVERTED, "execution reverted", wanted)


def test_a_revert_reason_is_in_the_message(chain: DevChain):
    # MSTORE the ABI of Error("no"), then REVERT it.
    body = "08c379a0" + f"{32:064x}" + f"{2:064x}" + b"no".hex().ljust(64, "0")
    code = "".join(f"7f{body[at : at + 64].ljust(64, '0')}60{at // 2:02x}52" for at in range(0, len(body), 64))
    fault = refusal(chain, "eth_call", {"data": f"0x{code}60645ffd"})
    assert fault.message == "execution reverted: no"


def test_a_mined_revert_has_status_zero(chain: DevChain, probe: str, calldata: Calldata):
    receipt = send(chain, to=probe, data=calldata("fail", 1, 1), gas="0x186a0")
    assert (receipt["status"], receipt["logs"]) == ("0x0", [])


def test_running_out_of_gas_is_an_error_of_its_own(chain: DevChain, probe: str, calldata: Calldata):
    fault = refusal(chain, "eth_call", {"to": probe, "data": calldata("spin"), "gas": "0x186a0"})
    assert (fault.code, fault.message) == (SERVER_ERROR, "out of gas")


def test_the_deepest_recursion_leaves_the_chain_alive(chain: DevChain, probe: str, calldata: Calldata):
    assert chain.rpc("eth_call", [{"to": probe, "data": calldata("dive")}]) == "0x"
    assert chain.rpc("eth_blockNumber") == "0x1"


def test_an_estimate_is_enough_and_not_much_more(chain: DevChain, probe: str, probe_code: str, calldata: Calldata):
    sender = chain.accounts[0].address
    for request in (
        {"from": sender, "to": POOR, "value": "0x1"},
        {"from": sender, "to": probe, "data": calldata("store", 5)},
        {"from": sender, "to": probe, "data": calldata("note", 5, 6)},
        {"from": sender, "data": probe_code},
        {"from": sender, "to": None, "input": probe_code},
    ):
        estimate = chain.rpc("eth_estimateGas", [request])
        receipt = send(chain, **(request | {"gas": estimate}))
        assert receipt["status"] == "0x1"
        assert int(estimate, 16) <= int(receipt["gasUsed"], 16) * 1.06
    assert chain.rpc("eth_estimateGas", [{"from": sender, "to": POOR, "value": "0x1"}, "latest"]) == hex(21_000)


def test_an_estimate_looks_at_the_next_blocks_time(chain: DevChain):
    # Reverts unless the timestamp is past the one in the calldata.
    code = "0x5f354211600a575f5ffd5b00"  # TIMESTAMP > CALLDATALOAD(0), jump over the revert
    created = send(chain, data="0x6b" + code[2:] + "5f52600c6014f3")["contractAddress"]
    head = int(chain.rpc("eth_getBlockByNumber", ["latest", False])["timestamp"], 16)
    request = {"to": created, "data": f"0x{head + 50:064x}"}
    assert refusal(chain, "eth_estimateGas", request).code == EXECUTION_REVERTED
    chain.rpc("evm_increaseTime", [100])
    assert int(chain.rpc("eth_estimateGas", [request]), 16) > 21_000


@pytest.mark.parametrize(
    "fields",
    [
        {"type": 0, "gasPrice": 3 * 10**9},
        {"type": 1, "gasPrice": 3 * 10**9, "accessList": [{"address": POOR, "storageKeys": ["0x" + "00" * 32]}]},
        {"type": 2},
    ],
    ids=["legacy", "access list", "dynamic fee"],
)
def test_signed_transactions_of_each_type_are_mined(chain: DevChain, fields: dict[str, Any]):
    key = chain.accounts[0]
    signed = {"chainId": 31337, "nonce": 0, "gas": 50_000, "to": POOR, "value": 5, **fields}
    if fields["type"] == 2:
        signed |= {"maxFeePerGas": 3 * 10**9, "maxPriorityFeePerGas": 10**9}
    if fields["type"] == 0:
        del signed["type"]
    encoded, tx_hash = sign_transaction(key, signed)

    assert chain.rpc("eth_sendRawTransaction", ["0x" + encoded.hex()]) == "0x" + tx_hash.hex()

    found = chain.rpc("eth_getTransactionByHash", ["0x" + tx_hash.hex()])
    receipt = chain.rpc("eth_getTransactionReceipt", ["0x" + tx_hash.hex()])
    assert found["type"] == receipt["type"] == hex(fields["type"])
    assert found["from"] == receipt["from"] == key.address.lower()
    assert (found["chainId"], found["blockHash"]) == (hex(31337), receipt["blockHash"])
    assert balance(chain, POOR) == 5
    spent = 10_000 * ETHER - balance(chain, key.address)
    assert spent == 5 + int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    block = chain.rpc("eth_getBlockByHash", [receipt["blockHash"], True])
    assert block["transactions"] == [found]
    assert chain.rpc("eth_getTransactionByBlockHashAndIndex", [receipt["blockHash"], "0x0"]) == found
    assert chain.rpc("eth_getTransactionByBlockNumberAndIndex", ["0x1", "0x0"]) == found
    assert chain.rpc("eth_getTransactionByBlockNumberAndIndex", ["0x1", "0x1"]) is None
    assert chain.rpc("eth_getBlockReceipts", ["0x1"]) == [receipt]
    assert chain.rpc("eth_getBlockTransactionCountByNumber", ["0x1"]) == "0x1"


def test_refusals_are_worded_as_geth_words_them(chain: DevChain):
    key = chain.accounts[0]
    chain.rpc("eth_sendRawTransaction", [raw(key)])
    pauper = PrivateKey.from_bytes(b"\x05" * 32)
    refusals = {
        "nonce too low: next nonce 1, tx nonce 0": raw(key),
        "insufficient funds for gas * price + value": raw(pauper),
        "intrinsic gas too low": raw(key, nonce=1, gas=20_000),
        "exceeds block gas limit": raw(key, nonce=1, gas=30_000_001),
        "max fee per gas less than block base fee": raw(key, nonce=1, maxFeePerGas=1, maxPriorityFeePerGas=1),
        "max priority fee per gas higher than max fee per gas": raw(key, nonce=1, maxPriorityFeePerGas=10**10),
        "transaction type not supported": "0x03" + "c0" * 3,
        "rlp: ": "0x02c0",
    }
    for words, encoded in refusals.items():
        fault = refusal(chain, "eth_sendRawTransaction", encoded)
        assert fault.code == SERVER_ERROR
        assert fault.message.startswith(words), (words, fault.message)
    assert chain.rpc("eth_blockNumber") == "0x1"


def test_a_transaction_ahead_of_its_nonce_waits_for_the_gap(chain: DevChain):
    key = chain.accounts[0]
    hashes = [chain.rpc("eth_sendRawTransaction", [raw(key, nonce=nonce)]) for nonce in (2, 1)]
    assert chain.rpc("eth_blockNumber") == "0x0"
    assert chain.rpc("eth_getTransactionReceipt", [hashes[0]]) is None
    assert chain.rpc("eth_getTransactionByHash", [hashes[0]])["blockNumber"] is None
    assert refusal(chain, "eth_sendRawTransaction", raw(key, nonce=2)).message == "already known"
    underpriced = raw(key, nonce=2, maxFeePerGas=3 * 10**9 + 1)
    assert refusal(chain, "eth_sendRawTransaction", underpriced).message == "replacement transaction underpriced"
    replacement = chain.rpc("eth_sendRawTransaction", [raw(key, nonce=2, maxFeePerGas=4 * 10**9)])

    first = chain.rpc("eth_sendRawTransaction", [raw(key, nonce=0)])

    mined = [chain.rpc("eth_getTransactionReceipt", [one])["blockNumber"] for one in (first, hashes[1], replacement)]
    assert mined == ["0x1", "0x2", "0x3"]
    assert chain.rpc("eth_getTransactionByHash", [hashes[0]]) is None


def test_a_creation_works_with_null_to_and_without_to(chain: DevChain, probe_code: str):
    for fields in ({"to": None}, {}, {"to": "0x"}):
        receipt = send(chain, data=probe_code, **fields)
        assert receipt["to"] is None
        assert len(chain.rpc("eth_getCode", [receipt["contractAddress"]])) > 100


def test_logs_are_found_by_range_address_topics_and_block_hash(chain: DevChain, probe: str, calldata: Calldata):
    receipts = [send(chain, to=probe, data=calldata("note", key, key * 10)) for key in range(1, 6)]
    everything = [log for receipt in receipts for log in receipt["logs"]]
    topic = everything[0]["topics"][0]

    def logs(**query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = chain.rpc("eth_getLogs", [query])
        return found

    assert len(everything) == 5
    assert logs(fromBlock="earliest", toBlock="latest") == everything
    assert logs(fromBlock="0x0", address=probe) == logs(fromBlock="0x0", topics=[topic]) == everything
    assert logs(fromBlock="0x3", toBlock="0x4") == everything[1:3]
    assert logs() == everything[4:]
    assert logs(fromBlock="0x0", topics=[None, f"0x{2:064x}"]) == everything[1:2]
    assert logs(fromBlock="0x0", topics=[[topic], [f"0x{2:064x}", f"0x{4:064x}"]]) == [everything[1], everything[3]]
    assert logs(fromBlock="0x0", address=POOR) == []
    assert logs(blockHash=receipts[2]["blockHash"]) == everything[2:3]
    assert logs(fromBlock="0x99") == []
    assert refusal(chain, "eth_getLogs", {"blockHash": "0x" + "99" * 32}).message == "unknown block"
    assert refusal(chain, "eth_getLogs", {"fromBlock": "0x4", "toBlock": "0x3"}).code == INVALID_PARAMS
    assert everything[0]["logIndex"] == "0x0"
    assert everything[0]["transactionHash"] == receipts[0]["transactionHash"]


def test_filters_report_what_is_new(chain: DevChain, probe: str, calldata: Calldata):
    on_logs = chain.rpc("eth_newFilter", [{"address": probe}])
    on_blocks = chain.rpc("eth_newBlockFilter")
    silent = chain.rpc("eth_newPendingTransactionFilter")
    receipt = send(chain, to=probe, data=calldata("note", 1, 2))
    assert chain.rpc("eth_getFilterChanges", [on_logs]) == receipt["logs"]
    assert chain.rpc("eth_getFilterChanges", [on_logs]) == []
    assert chain.rpc("eth_getFilterLogs", [on_logs]) == receipt["logs"]
    assert chain.rpc("eth_getFilterChanges", [on_blocks]) == [receipt["blockHash"]]
    assert chain.rpc("eth_getFilterChanges", [silent]) == []
    assert [chain.rpc("eth_uninstallFilter", [on_logs]) for _ in range(2)] == [True, False]
    assert refusal(chain, "eth_getFilterChanges", on_logs).message == "filter not found"


def test_a_filter_reports_the_blocks_that_replace_reverted_ones(chain: DevChain):
    name = chain.rpc("eth_newBlockFilter")
    snapshot = chain.rpc("evm_snapshot")
    for _ in range(3):
        chain.rpc("evm_mine")
    assert len(chain.rpc("eth_getFilterChanges", [name])) == 3
    chain.rpc("evm_revert", [snapshot])
    for _ in range(2):
        chain.rpc("evm_mine")
    hashes = [chain.rpc("eth_getBlockByNumber", [number, False])["hash"] for number in ("0x1", "0x2")]
    assert chain.rpc("eth_getFilterChanges", [name]) == hashes


def test_reverting_brings_back_state_logs_blocks_and_time(chain: DevChain, probe: str, calldata: Calldata):
    send(chain, to=probe, data=calldata("store", 1))
    head = chain.rpc("eth_getBlockByNumber", ["latest", True])
    snapshot = chain.rpc("evm_snapshot")
    chain.rpc("evm_increaseTime", [5000])
    undone = [send(chain, to=probe, data=calldata("note", 1, 1)), send(chain, to=probe, data=calldata("store", 2))]

    assert chain.rpc("evm_revert", [snapshot]) is True

    assert chain.rpc("eth_getBlockByNumber", ["latest", True]) == head
    assert chain.rpc("eth_getLogs", [{"fromBlock": "0x0"}]) == []
    assert int(chain.rpc("eth_call", [{"to": probe, "data": calldata("stored")}]), 16) == 1
    assert chain.rpc("eth_getTransactionReceipt", [undone[0]["transactionHash"]]) is None
    assert chain.rpc("evm_revert", [snapshot]) is False
    again = [send(chain, to=probe, data=calldata("store", value)) for value in (3, 4, 5)]
    assert [receipt["blockNumber"] for receipt in again] == ["0x3", "0x4", "0x5"]
    assert int(chain.rpc("eth_call", [{"to": probe, "data": calldata("stored")}]), 16) == 5
    parent = chain.rpc("eth_getBlockByNumber", ["0x4", False])["hash"]
    assert chain.rpc("eth_call", [{"to": probe, "data": calldata("parent")}]) == parent
    assert (
        int(chain.rpc("eth_getBlockByNumber", ["latest", False])["timestamp"], 16) - int(head["timestamp"], 16) < 1000
    )


def test_tests_move_time(chain: DevChain, probe: str, calldata: Calldata):
    start = int(chain.rpc("eth_getBlockByNumber", ["latest", False])["timestamp"], 16)
    chain.rpc("evm_setNextBlockTimestamp", [hex(start + 3600)])
    assert int(chain.rpc("eth_call", [{"to": probe, "data": calldata("time")}, "pending"]), 16) == start + 3600
    chain.rpc("evm_mine")
    chain.rpc("evm_mine", [start + 7200])
    times = [int(chain.rpc("eth_getBlockByNumber", [hex(number), False])["timestamp"], 16) for number in (2, 3)]
    assert times == [start + 3600, start + 7200]
    assert refusal(chain, "evm_setNextBlockTimestamp", start).code == INVALID_PARAMS


def test_fees_follow_the_next_block(chain: DevChain):
    for _ in range(3):
        send(chain, to=POOR, value="0x1")
    history = chain.rpc("eth_feeHistory", ["0x3", "latest", [10, 90]])
    pending = chain.rpc("eth_getBlockByNumber", ["pending", False])
    assert history["oldestBlock"] == "0x1"
    assert [len(history[name]) for name in ("baseFeePerGas", "gasUsedRatio", "reward")] == [4, 3, 3]
    assert history["baseFeePerGas"][3] == pending["baseFeePerGas"]
    assert pending["number"] == "0x4"
    assert pending["hash"] is None
    tip = int(chain.rpc("eth_maxPriorityFeePerGas"), 16)
    assert int(chain.rpc("eth_gasPrice"), 16) == tip + int(pending["baseFeePerGas"], 16)


def test_what_does_not_exist_is_null(chain: DevChain):
    nowhere = "0x" + "99" * 32
    assert chain.rpc("eth_getBlockByNumber", ["0x99", False]) is None
    assert chain.rpc("eth_getBlockByHash", [nowhere, False]) is None
    assert chain.rpc("eth_getTransactionByHash", [nowhere]) is None
    assert chain.rpc("eth_getTransactionReceipt", [nowhere]) is None
    assert chain.rpc("eth_getBlockReceipts", ["0x99"]) is None
    assert chain.rpc("eth_syncing") is False


def test_wrong_calls_get_the_right_codes(chain: DevChain):
    assert refusal(chain, "eth_nonsense").code == METHOD_NOT_FOUND
    assert refusal(chain, "eth_getBalance").code == INVALID_PARAMS
    assert refusal(chain, "eth_chainId", 1).code == INVALID_PARAMS
    assert refusal(chain, "eth_getBalance", "0x1").code == INVALID_PARAMS
    assert refusal(chain, "eth_call", "0x1").code == INVALID_PARAMS
    assert refusal(chain, "eth_call", {"data": "0x01", "input": "0x02"}).code == INVALID_PARAMS
    assert refusal(chain, "eth_sendTransaction", {"from": POOR}).message == "unknown account"
    with_value = {"from": POOR, "to": POOR, "value": "0x1"}
    assert refusal(chain, "eth_call", with_value).message.startswith("insufficient funds for transfer")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", PARSE_ERROR),
        (b"[]", INVALID_REQUEST),
        (b"5", INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1}', INVALID_REQUEST),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{"a":1}}', INVALID_PARAMS),
    ],
)
def test_malformed_bodies_get_json_rpc_errors(chain: DevChain, body: bytes, code: int):
    assert orjson.loads(chain.answer(body))["error"]["code"] == code


def test_a_batch_is_answered_in_order_and_notifications_are_not(chain: DevChain):
    body = orjson.dumps(
        [
            {"jsonrpc": "2.0", "id": "b", "method": "eth_chainId"},
            {"jsonrpc": "2.0", "method": "evm_mine"},
            {"jsonrpc": "2.0", "id": None, "method": "nope"},
            {"jsonrpc": "2.0", "id": 3, "method": "eth_blockNumber", "params": []},
        ]
    )
    answers = orjson.loads(chain.answer(body))
    assert [answer["id"] for answer in answers] == ["b", None, 3]
    assert answers[2]["result"] == "0x1"
    assert chain.answer(b'{"jsonrpc":"2.0","method":"evm_mine"}') == b""


def test_many_threads_share_one_chain(chain: DevChain):
    """eth-tester alone fails here: it is not thread-safe."""
    failures: list[BaseException] = []

    def work(sender: str) -> None:
        try:
            for _ in range(5):
                chain.rpc("eth_sendTransaction", [{"from": sender, "to": POOR, "value": "0x1", "gas": "0x5208"}])
                chain.rpc("eth_call", [{"to": POOR}])
        except RpcFault as fault:
            failures.append(fault)

    threads = [
        threading.Thread(target=work, args=(account.address,)) for account in chain.accounts[:4] for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert balance(chain, POOR) == 40
    assert chain.rpc("eth_blockNumber") == hex(40)
