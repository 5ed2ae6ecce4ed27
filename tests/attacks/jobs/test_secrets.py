"""What must not be readable by others: an endpoint's key in what is logged, answers and vouchers in files."""

import socket
import stat
from pathlib import Path

import pytest
from tests.ledger.samples import IDENTITY

from mintery.chain.rpc import connect
from mintery.errors import RpcUnavailable
from mintery.ledger.store import open_ledger

KEY = "s3cr3t-endpoint-key"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{}/v3/{}", "http://127.0.0.1:{}/?key={}", "http://u:{1}@127.0.0.1:{0}/"]
)
def test_an_endpoint_that_does_not_answer_keeps_its_key_out_of_the_error(url: str):
    port = free_port()
    with pytest.raises(RpcUnavailable) as refused:
        connect(url.format(port, KEY), timeout=1)

    told = refused.value
    assert KEY not in f"{told} {told.url} {told.why} {vars(told)}"
    assert f"127.0.0.1:{port}" in str(told)
    assert told.__cause__ is None
    assert told.__suppress_context__


def test_only_its_owner_reads_a_ledger(tmp_path: Path):
    """It keeps answers to prompts for a day, and signed vouchers."""
    folder = tmp_path / "new" / "home"
    path = folder / "ledger.sqlite"
    folder.mkdir(parents=True)
    with open_ledger(path, IDENTITY):
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}

    assert set(modes) >= {"ledger.sqlite", "ledger.sqlite-wal"}
    assert set(modes.values()) == {0o600}
