"""Conformance with viem, over HTTP; the checks are in viem.mjs."""

import json
import subprocess
from pathlib import Path
from typing import Any

from mintery.chain.devchain.chain import DevChain
from mintery.chain.devchain.server import RpcServer

SCRIPT = Path(__file__).with_name("viem.mjs")
VIEM = Path(__file__).parents[3] / "contracts" / "node_modules" / "viem"


def test_viem(node: str, server: RpcServer, chain: DevChain, probe_abi: list[dict[str, Any]], probe_code: str):
    request = {
        "abi": probe_abi,
        "bytecode": probe_code,
        "key": "0x" + chain.accounts[0].secret_bytes().hex(),
        "genesis": chain.genesis_hash,
    }
    done = subprocess.run(
        [node, str(SCRIPT), str(VIEM), server.url],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split("\n")[:-1] == [
        "identity, blocks and balances",
        "legacy, access-list and dynamic-fee sends",
        "creation, calls, estimates and logs",
        "refusals",
    ]
