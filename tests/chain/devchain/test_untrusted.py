"""Whatever arrives, the answer is a JSON-RPC error of the caller's, never one of ours."""

from typing import Any

import orjson
from eth.exceptions import Revert
from hypothesis import given, settings
from hypothesis import strategies as st

from mintery.chain.devchain.chain import DevChain
from mintery.chain.devchain.execution import fault_of
from mintery.chain.devchain.faults import EXECUTION_REVERTED, INTERNAL_ERROR
from mintery.chain.devchain.registry import METHODS
from mintery.crypto.keys import sign_transaction

FIELDS = [
    "from",
    "to",
    "data",
    "input",
    "gas",
    "value",
    "nonce",
    "gasPrice",
    "maxFeePerGas",
    "chainId",
    "accessList",
    "address",
    "storageKeys",
    "blockHash",
    "blockNumber",
    "fromBlock",
    "toBlock",
    "topics",
]
MOVES_TIME_FAR = {"evm_increaseTime", "evm_setNextBlockTimestamp", "evm_mine"}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 2**64 - 1) | st.text(max_size=70) | st.just("0x" + "7a" * 20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=8,
)

ADDRESS, WORD = "0x" + "77" * 20, "0x" + "11" * 32
hints = st.sampled_from(
    [ADDRESS, WORD, "0x", "0x1", "latest", [WORD], [[WORD], None], [[[]]], {}, [{"address": ADDRESS}]]
)
access_lists = st.lists(
    st.fixed_dictionaries({"address": st.just(ADDRESS), "storageKeys": hints | json_values}), max_size=2
)
objects = st.dictionaries(st.sampled_from(FIELDS), hints | access_lists | json_values, max_size=6)
TAKE_OBJECTS = ["eth_call", "eth_estimateGas", "eth_sendTransaction", "eth_getLogs", "eth_newFilter", "eth_feeHistory"]


def error_code(chain: DevChain, method: str, params: Any) -> int | None:
    answer = chain.answer(orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    code: int | None = orjson.loads(answer).get("error", {}).get("code")
    return code


def test_any_parameters_of_any_method():
    with DevChain() as chain:

        @settings(max_examples=500, deadline=None)
        @given(
            st.sampled_from(sorted(set(METHODS) - MOVES_TIME_FAR)),
            st.lists(objects | json_values, max_size=4) | json_values,
        )
        def check(method: str, params: Any) -> None:
            assert error_code(chain, method, params) != INTERNAL_ERROR

        check()


def test_any_fields_of_a_request_object():
    with DevChain() as chain:
        sender = chain.accounts[0].address

        @settings(max_examples=500, deadline=None)
        @given(st.sampled_from(TAKE_OBJECTS), objects, st.lists(json_values, max_size=2))
        def check(method: str, request: dict[str, Any], rest: list[Any]) -> None:
            assert error_code(chain, method, [{"from": sender} | request, *rest]) != INTERNAL_ERROR

        check()


def test_any_bytes_as_a_raw_transaction():
    with DevChain() as chain:
        fields = {"type": 2, "chainId": 31337, "nonce": 0, "gas": 21_000, "maxFeePerGas": 1, "maxPriorityFeePerGas": 1}
        valid, _ = sign_transaction(chain.accounts[0], {**fields, "to": "0x" + "77" * 20, "value": 1})
        damaged = st.builds(
            lambda place, byte: valid[:place] + bytes([byte]) + valid[place + 1 :],
            st.integers(0, len(valid) - 1),
            st.integers(0, 255),
        )

        @settings(max_examples=300, deadline=None)
        @given(st.binary(max_size=200) | damaged | st.integers(0, len(valid)).map(lambda end: valid[:end]))
        def check(raw: bytes) -> None:
            assert error_code(chain, "eth_sendRawTransaction", ["0x" + raw.hex()]) not in {None, INTERNAL_ERROR}

        check()
        assert chain.rpc("eth_blockNumber") == "0x0"


@given(st.sampled_from([b"", bytes.fromhex("08c379a0"), bytes.fromhex("4e487b71")]), st.binary(max_size=200))
def test_any_revert_bytes_reach_the_caller_unchanged(selector: bytes, rest: bytes):
    fault = fault_of(Revert(selector + rest), selector + rest)
    assert (fault.code, fault.payload) == (EXECUTION_REVERTED, "0x" + (selector + rest).hex())
    assert fault.message.startswith("execution reverted")
