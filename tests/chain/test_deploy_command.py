"""`mintery deploy` where money is real: by keystore, with a dry run, and only after a yes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from mintery.chain.artifact import load_artifact
from mintery.chain.rpc import Call, Rpc, connect
from mintery.chain.sender import Sender
from mintery.cli.run import run
from mintery.crypto.keys import PrivateKey, dev_key, encrypt_keystore
from mintery.units import Wei

from .conftest import Anvil

DEPLOYER = PrivateKey.from_bytes((77).to_bytes(32))
PASSWORD = "correct horse"  # noqa: S105 -- of a keystore that the test itself makes
CONFIG = """
asset = "{asset}"
reporters = [{reporters}]
admin = "{admin}"
guardian = "{admin}"
admin_delay = 172800
skus = ["acme/small:input_token"]
"""


@dataclass
class RealChain:
    rpc: Rpc
    url: str
    keystore: Path
    config: Path
    home: Path

    @property
    def options(self) -> list[str]:
        return ["--key", str(self.keystore), "--config", str(self.config), "--rpc", self.url, "--json"]

    def sent(self) -> int:
        return self.rpc.nonce(DEPLOYER.address)


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "deployer.json"
    path.write_text(json.dumps(encrypt_keystore(DEPLOYER, PASSWORD)))
    return path


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, keystore: Path) -> Iterator[RealChain]:
    """A chain whose id says that it is no local one, with an asset and a deployer who can pay."""
    anvil = Anvil("--chain-id", "8453")
    try:
        rpc, directory = connect(anvil.url), tmp_path_factory.mktemp("real")
        payer = Sender(rpc, dev_key(0))
        payer.send(Call("pay", DEPLOYER.address, b"", value=Wei(10**20)))
        asset = payer.send(Call("deploy asset", None, load_artifact("TestDollar").init_code())).created
        config = directory / "mintery.toml"
        reporters = ", ".join(f'"{dev_key(index).address}"' for index in range(5))
        config.write_text(CONFIG.format(asset=asset, reporters=reporters, admin=dev_key(9).address))
        yield RealChain(rpc, anvil.url, keystore, config, directory / "home")
    finally:
        anvil.close()


@pytest.fixture(autouse=True)
def typed_password(monkeypatch: pytest.MonkeyPatch, real: RealChain) -> None:
    monkeypatch.setattr(typer, "prompt", lambda *_args, **_options: PASSWORD)
    monkeypatch.setenv("MINTERY_HOME", str(real.home))


def test_a_dry_run_says_where_and_how_much_and_sends_nothing(real: RealChain, capsys: pytest.CaptureFixture[str]):
    code = run(["deploy", "--dry-run", *real.options])

    told = json.loads(capsys.readouterr().out)
    assert (code, told["dry_run"], told["chain_id"]) == (0, True, 8453)
    assert told["deployer"] == DEPLOYER.address
    assert told["transactions"] == 7
    assert int(told["cost_wei"]) == told["gas"] * int(told["gas_price_wei"]) > 0
    assert told["affordable"] is True
    assert real.sent() == 0
    assert not real.home.exists()


def test_nothing_is_sent_without_a_yes(
    real: RealChain, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    refused = run(["deploy", *real.options])
    why = capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked: list[str] = []

    def say_no(question: str, **_options: Any) -> None:
        asked.append(question)
        raise typer.Abort

    monkeypatch.setattr(typer, "confirm", say_no)
    aborted = run(["deploy", *[option for option in real.options if option != "--json"]])

    assert refused != 0
    assert "--yes is not set" in why
    assert aborted != 0
    assert asked == ["Send these transactions?"]
    assert "cost" in capsys.readouterr().err
    assert real.sent() == 0


def test_what_was_planned_is_what_then_stands(real: RealChain, capsys: pytest.CaptureFixture[str]):
    run(["deploy", "--dry-run", *real.options])
    planned = json.loads(capsys.readouterr().out)

    code = run(["deploy", "--yes", *real.options])

    deployed = json.loads(capsys.readouterr().out)
    assert code == 0
    assert deployed["contracts"] == {name: part["address"] for name, part in planned["contracts"].items()}
    used = sum(tx["gas_used"] for tx in deployed["transactions"])
    assert abs(planned["gas"] - used) < used // 100
    run(["deploy", "--dry-run", *real.options])
    again = json.loads(capsys.readouterr().out)
    assert (again["transactions"], again["gas"]) == (0, 0)
