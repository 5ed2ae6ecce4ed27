"""Conformance with Foundry's cast, over HTTP."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from mintery.chain.devchain.chain import DevChain
from mintery.chain.devchain.server import RpcServer

POOR = "0x" + "77" * 20
Cast = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ask(cast: Cast, server: RpcServer) -> Callable[..., str]:
    """Runs a cast command against the chain and returns what it prints."""

    def run(*arguments: str) -> str:
        done = cast(arguments[0], "--rpc-url", server.url, *arguments[1:])
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def test_identity_blocks_and_balances(ask: Callable[..., str], chain: DevChain):
    assert ask("chain-id") == "31337"
    assert ask("block-number") == "0"
    assert ask("block", "latest", "--field", "hash") == chain.genesis_hash
    assert ask("balance", chain.accounts[0].address) == str(10_000 * 10**18)
    assert ask("nonce", chain.accounts[0].address) == "0"
    assert int(ask("gas-price")) > 0


@pytest.mark.parametrize("kind", [[], ["--legacy"]], ids=["dynamic fee", "legacy"])
def test_signed_and_unlocked_sends(ask: Callable[..., str], chain: DevChain, kind: list[str]):
    key = "0x" + chain.accounts[0].secret_bytes().hex()
    signed = json.loads(ask("send", POOR, "--value", "1", "--private-key", key, "--json", *kind))
    unlocked = json.loads(
        ask("send", POOR, "--value", "1", "--unlocked", "--from", chain.accounts[1].address, "--json", *kind)
    )
    for receipt in (signed, unlocked):
        assert receipt["status"] == "0x1"
        assert receipt["type"] == ("0x0" if kind else "0x2")
        assert json.loads(ask("tx", receipt["transactionHash"], "--json"))["to"] == POOR
        assert json.loads(ask("receipt", receipt["transactionHash"], "--json"))["blockHash"] == receipt["blockHash"]
    assert ask("balance", POOR) == "2"


def test_a_contract_is_created_called_and_read(ask: Callable[..., str], chain: DevChain, probe_code: str):
    key = "0x" + chain.accounts[0].secret_bytes().hex()
    created = json.loads(ask("send", "--private-key", key, "--json", "--create", probe_code))
    probe = created["contractAddress"]
    ask("send", probe, "store(uint256)", "41", "--private-key", key)
    noted = json.loads(ask("send", probe, "note(uint256,uint256)", "7", "70", "--private-key", key, "--json"))

    assert ask("call", probe, "stored()(uint256)", "--from", POOR) == "41"
    assert ask("call", probe, "stored()(uint256)", "--block", created["blockNumber"]) == "0"
    assert int(ask("estimate", probe, "store(uint256)", "5")) > 21_000
    assert int(ask("estimate", "--create", probe_code)) > 53_000
    assert int(ask("storage", probe, "0"), 16) == 41
    assert len(ask("code", probe)) > 100

    def logs(*query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(ask("logs", "--json", *query))
        return found

    assert logs("--from-block", "0", "--address", probe, "Noted(uint256 indexed,uint256)") == noted["logs"]
    assert logs("--from-block", noted["blockNumber"], "--to-block", noted["blockNumber"]) == noted["logs"]
    by_hash = ask("rpc", "eth_getLogs", json.dumps([{"blockHash": noted["blockHash"]}]), "--raw")
    assert json.loads(by_hash) == noted["logs"]


def test_a_custom_error_reaches_cast(cast: Cast, server: RpcServer, probe: str):
    failed = cast("call", probe, "fail(uint256,uint256)", "7", "3", "--rpc-url", server.url)
    assert failed.returncode != 0
    assert "execution reverted" in failed.stderr
    encoded = next(word for word in failed.stderr.replace('"', " ").replace(",", " ").split() if len(word) == 138)
    decoded = cast("decode-error", "--sig", "Broken(uint256,uint256)", encoded)
    assert decoded.stdout.split() == ["7", "3"]


def test_a_refused_send_says_why(cast: Cast, server: RpcServer, chain: DevChain):
    key = "0x" + chain.accounts[0].secret_bytes().hex()
    arguments = ("send", POOR, "--value", "1", "--private-key", key, "--nonce", "0", "--rpc-url", server.url)
    assert cast(*arguments).returncode == 0
    refused = cast(*arguments)
    assert refused.returncode != 0
    assert "nonce too low" in refused.stderr
