"""A long history costs no more than a short one."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from mintery.chain.devchain.chain import DevChain

SHORT, LONG = 20, 500
# Generous, for a busy machine: a cost that grew with the history would show as a factor of about 25.
MOST_SLOWER = 6
REPEATS = 15


def median_seconds(call: Callable[[], Any]) -> float:
    def once() -> float:
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    return statistics.median(once() for _ in range(REPEATS))


def test_five_hundred_blocks_do_not_slow_the_chain(chain: DevChain, probe: str, calldata: Callable[..., str]):
    sender = chain.accounts[0].address

    def head() -> int:
        return int(chain.rpc("eth_blockNumber"), 16)

    def note() -> str:
        request = {"from": sender, "to": probe, "data": calldata("note", head() + 1, 0), "gas": "0x186a0"}
        return str(chain.rpc("eth_sendTransaction", [request]))

    def grow_to(number: int) -> dict[str, float]:
        while head() < number:
            note()
        last, first = hex(head()), hex(head() - 9)
        old = chain.rpc("eth_getBlockByNumber", ["0x5", True])["transactions"][0]["hash"]
        topic = f"0x{5:064x}"
        assert len(chain.rpc("eth_getLogs", [{"fromBlock": first, "toBlock": last}])) == 10
        assert len(chain.rpc("eth_getLogs", [{"fromBlock": "0x0", "topics": [None, topic]}])) == 1
        measured: dict[str, tuple[str, list[Any]]] = {
            "logs of ten blocks": ("eth_getLogs", [{"fromBlock": first, "toBlock": last, "address": probe}]),
            "one log in all history": (
                "eth_getLogs",
                [{"fromBlock": "0x0", "address": probe, "topics": [None, topic]}],
            ),
            "latest block": ("eth_getBlockByNumber", ["latest", True]),
            "old block": ("eth_getBlockByNumber", ["0x5", True]),
            "old receipt": ("eth_getTransactionReceipt", [old]),
            "call": ("eth_call", [{"to": probe, "data": calldata("stored")}]),
            "old call": ("eth_call", [{"to": probe, "data": calldata("stored")}, "0x5"]),
        }
        seconds = {
            name: median_seconds(lambda method=method, params=params: chain.rpc(method, params))  # type: ignore[misc]  # defaults bind the loop's values
            for name, (method, params) in measured.items()
        }
        return seconds | {"send": median_seconds(note)}

    short = grow_to(SHORT)
    long = grow_to(LONG)

    slower = {name: long[name] / short[name] for name in short}
    assert max(slower.values()) < MOST_SLOWER, slower
