"""``run_devchain`` in a process of its own, and the anvil engine."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from mintery.chain.devchain.anvil import AnvilChain, find_anvil
from mintery.chain.devchain.running import ChainEngine, run_devchain
from mintery.chain.devchain.server import LOCALHOST, RpcServer
from mintery.errors import AnvilFailed, AnvilMissing, PortTaken

ROOT = Path(__file__).parents[3]
RUN = """
import sys
from pathlib import Path
from mintery.chain.devchain.running import ChainEngine, run_devchain
run_devchain(port=0, engine=ChainEngine(sys.argv[1]), roots=[Path(sys.argv[2])],
             on_ready=lambda served: print(served.url, flush=True))
print("closed", flush=True)
"""


@pytest.mark.parametrize("engine", list(ChainEngine))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_signalled_and_closes_cleanly(engine: ChainEngine, number: signal.Signals):
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, engine, str(ROOT)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        w3 = Web3(HTTPProvider(url))
        assert w3.eth.chain_id == 31337
        assert w3.eth.get_balance("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266") == 10_000 * 10**18
        child.send_signal(number)
        printed, complained = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    assert (child.returncode, printed, complained) == (0, "closed\n", "")
    assert not w3.is_connected()


def test_a_taken_port_ends_the_run_with_its_name(server: RpcServer):
    with pytest.raises(PortTaken):
        run_devchain(port=server.port)


def test_anvil_is_the_same_chain_to_its_callers():
    executable = find_anvil(roots=[ROOT])
    with AnvilChain(executable, LOCALHOST, 0) as first, AnvilChain(executable, LOCALHOST, 0) as second:
        genesis = []
        for chain in (first, second):
            w3 = Web3(HTTPProvider(chain.url))
            assert w3.eth.chain_id == chain.chain_id
            assert [account.address for account in chain.accounts] == w3.eth.accounts
            assert {w3.eth.get_balance(account) for account in w3.eth.accounts} == {10_000 * 10**18}
            assert w3.eth.get_block("latest")["gasLimit"] == 30_000_000
            genesis.append(w3.eth.get_block(0)["hash"])
        assert genesis[0] != genesis[1]
        assert first.running
    assert not first.running


def test_a_missing_anvil_says_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AnvilMissing) as caught:
        find_anvil(roots=[tmp_path])
    assert caught.value.tried == ("PATH", str(tmp_path / "contracts/node_modules/@foundry-rs/anvil-*/bin/anvil"))
    with pytest.raises(AnvilMissing):
        find_anvil(tmp_path / "nowhere")


def test_an_anvil_that_cannot_start_says_why(server: RpcServer):
    with pytest.raises(AnvilFailed) as caught:
        AnvilChain(find_anvil(roots=[ROOT]), LOCALHOST, server.port)
    assert "in use" in caught.value.output.lower()
