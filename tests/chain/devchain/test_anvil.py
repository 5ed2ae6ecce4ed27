"""The in-process chain and anvil agree on what contracts do and on what it costs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from web3 import HTTPProvider, Web3

from mintery.chain.devchain.anvil import AnvilChain, find_anvil
from mintery.chain.devchain.chain import DevChain
from mintery.chain.devchain.server import LOCALHOST

ROOT = Path(__file__).parents[3]


def outcomes(w3: Web3, code: str, calldata: Callable[..., str]) -> list[tuple[Any, ...]]:
    """Deploy the probe and use it: what each transaction did, and the gas it burned."""
    sender = w3.eth.accounts[0]

    def send(**fields: Any) -> Any:
        tx_hash = w3.eth.send_transaction({"from": sender, "gas": 500_000, **fields})
        return w3.eth.wait_for_transaction_receipt(tx_hash, poll_latency=0.01)

    created = send(data=code)
    probe = created["contractAddress"]
    receipts = [created]
    receipts += [
        send(to=probe, data=calldata(name, *arguments))
        for name, arguments in (("store", (5,)), ("store", (6,)), ("store", (0,)), ("note", (7, 70)), ("fail", (1, 2)))
    ]
    receipts += [send(to=w3.eth.accounts[1], value=1), send(to=probe, data=calldata("dive"))]
    return [
        (
            receipt["status"],
            receipt["gasUsed"],
            receipt["contractAddress"],
            [(log["address"], log["topics"], log["data"], log["logIndex"]) for log in receipt["logs"]],
            receipt["logsBloom"],
        )
        for receipt in receipts
    ]


def test_both_engines_do_the_same_for_the_same_gas(chain: DevChain, probe_code: str, calldata: Callable[..., str]):
    with AnvilChain(find_anvil(roots=[ROOT]), LOCALHOST, 0) as anvil:
        expected = outcomes(Web3(HTTPProvider(anvil.url)), probe_code, calldata)
    assert outcomes(Web3(chain.provider()), probe_code, calldata) == expected
    assert [status for status, *_ in expected] == [1, 1, 1, 1, 1, 0, 1, 1]
