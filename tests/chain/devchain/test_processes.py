"""Several operating-system processes on one served chain: no nonce is lost and none is used twice."""

import json
import subprocess
import sys
from pathlib import Path

from mintery.chain.devchain.chain import DevChain
from mintery.chain.devchain.server import RpcServer

SENDER = Path(__file__).with_name("sending_process.py")
SENDS = 8
SHARED, FIRST_OWN = 0, 1
PROCESSES = 3


def test_nonces_from_several_processes_at_once(chain: DevChain, server: RpcServer):
    """Each process sends from an account of its own and from one that all share: unlocked, and signed with a retry."""
    keys = ["0x" + account.secret_bytes().hex() for account in chain.accounts]
    children = [
        subprocess.Popen(
            [sys.executable, str(SENDER), server.url, str(SENDS), keys[SHARED], keys[FIRST_OWN + place]],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for place in range(PROCESSES)
    ]
    finished = [(child, *child.communicate(timeout=240)) for child in children]

    hashes: list[str] = []
    for child, printed, complained in finished:
        assert child.returncode == 0, complained
        hashes += json.loads(printed)
    assert len(set(hashes)) == len(hashes) == PROCESSES * SENDS * 3

    nonces: dict[str, list[int]] = {}
    for tx_hash in hashes:
        transaction = chain.rpc("eth_getTransactionByHash", [tx_hash])
        assert chain.rpc("eth_getTransactionReceipt", [tx_hash])["status"] == "0x1"
        nonces.setdefault(transaction["from"], []).append(int(transaction["nonce"], 16))
    own = [chain.accounts[FIRST_OWN + place].address.lower() for place in range(PROCESSES)]
    assert set(nonces) == {chain.accounts[SHARED].address.lower(), *own}
    assert sorted(nonces[chain.accounts[SHARED].address.lower()]) == list(range(PROCESSES * SENDS * 2))
    for address in own:
        assert sorted(nonces[address]) == list(range(SENDS))
    assert chain.rpc("eth_blockNumber") == hex(len(hashes))
