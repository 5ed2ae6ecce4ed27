"""``mintery key``, ``limit``, ``authority`` and ``sign-in`` against a gateway, as its holder."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.rig import HOLDER, IDENTITY, Rig, rig
from typer.testing import CliRunner, Result

from mintery.cli.app import app
from mintery.client.wallet import sign_in, standing_voucher
from mintery.errors import DevKeyOnRealChain, GatewayRefused, SignInRefused, UnknownProject
from mintery.ledger.store import open_ledger


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder: Path = tmp_path_factory.mktemp("holder")
    with open_ledger(folder / "ledger.sqlite", IDENTITY) as ledger:
        with rig(ledger) as running:
            running.fund(100)
            yield running
        ledger.check()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "0x" + HOLDER.secret_bytes().hex())


def run(gateway: Rig, *arguments: str, key: str = "MY_KEY") -> Result:
    return CliRunner().invoke(app, [*arguments, "--key", key, "--url", gateway.base_url + "/v1"])


def told(gateway: Rig, *arguments: str) -> dict:
    result = run(gateway, *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict = json.loads(result.stdout)
    return found


def test_a_key_from_its_making_to_its_end(gateway: Rig):
    made = told(gateway, "key", "create", "my app", "--usd", "20", "--monthly", "5", "--model", "test/echo")
    assert gateway.chat(key=made["api_key"]).status_code == 200
    told(gateway, "key", "change", made["id"], "--any-model", "--label", "renamed")

    rotated = told(gateway, "key", "rotate", made["id"], "--overlap", "0")
    listed = run(gateway, "key", "list")
    limits = run(gateway, "limit", "list")
    stands = told(gateway, "authority", "list")["data"]
    beside = told(gateway, "key", "create", "another", "--beside", made["id"])
    told(gateway, "authority", "revoke", next(each["id"] for each in stands if each["kind"] == "budget"))

    assert "renamed" in listed.stdout
    assert made["api_key"] not in listed.stdout
    assert "of 5" in limits.stdout
    assert gateway.chat(key=made["api_key"], text="2").status_code == 401
    assert gateway.chat(key=rotated["api_key"], text="3").status_code == 401
    assert gateway.chat(key=beside["api_key"], text="4").status_code == 200
    assert told(gateway, "key", "revoke", beside["id"])["status"] == "revoked"
    assert gateway.chat(key=beside["api_key"], text="5").status_code == 401


def test_a_limit_from_its_setting_to_its_end(gateway: Rig):
    assert told(gateway, "limit", "time-zone", "Europe/Berlin") == told(gateway, "limit", "time-zone")
    limit = told(gateway, "limit", "set", "week", "--usd", "0", "--model", "test/echo")
    assert gateway.chat(text="limited").status_code == 402

    assert told(gateway, "limit", "change", limit["id"], "--credits", "1.5")["ceiling_usd"] == "1.5"
    assert gateway.chat(text="raised").status_code == 200
    told(gateway, "limit", "end", limit["id"])
    assert isinstance(run(gateway, "limit", "end", limit["id"]).exception, GatewayRefused)


def test_a_token_asks_as_the_holder(gateway: Rig):
    token = run(gateway, "sign-in").stdout.strip()

    assert gateway.get("/v1/wallet/keys", key=token).status_code == 200
    assert told(gateway, "sign-in")["holder"] == HOLDER.address


def test_what_is_missing_is_told(gateway: Rig):
    assert run(gateway, "limit", "set", "week").exit_code == 2
    assert isinstance(run(gateway, "limit", "set", "day", "--usd", "1", "--token", "NONE").exception, UnknownProject)


def test_no_message_of_another_host_is_signed(gateway: Rig):
    elsewhere = gateway.base_url.replace("127.0.0.1", "localhost")
    assert sign_in(elsewhere + "/v1", HOLDER)
    object.__setattr__(gateway.parts, "public_url", "https://wallet.example")

    with pytest.raises(SignInRefused):
        sign_in(gateway.base_url + "/v1", HOLDER)
    object.__setattr__(gateway.parts, "public_url", None)


@pytest.mark.parametrize("more", [{"more_nanocredits": "1000000000000"}, {"spent_nanocredits": "5"}])
def test_nothing_else_is_signed_than_what_was_asked_for(gateway: Rig, monkeypatch: pytest.MonkeyPatch, more: dict):
    from mintery.client import wallet  # noqa: PLC0415 -- its own call is replaced

    asked = wallet.call

    def greedy(method: str, url: str, key: str | None, body: dict | None = None) -> dict:
        answer = asked(method, url, key, body)
        return {**answer, **more} if url.endswith("/vouchers/offer") else answer

    base_url, token = gateway.base_url + "/v1", sign_in(gateway.base_url + "/v1", HOLDER)
    monkeypatch.setattr(wallet, "call", greedy)

    with pytest.raises(GatewayRefused):
        standing_voucher(base_url, token, HOLDER, project=gateway.account.token, amount={"credits": "1"}, days=1)


def test_a_dev_key_signs_on_a_local_chain_alone(gateway: Rig):
    object.__setattr__(gateway.parts, "domain", gateway.parts.domain.__class__(1, gateway.parts.domain.escrow))

    assert isinstance(run(gateway, "key", "list", key="dev:holder").exception, DevKeyOnRealChain)
    object.__setattr__(gateway.parts, "domain", gateway.parts.domain.__class__(1337, gateway.parts.domain.escrow))
