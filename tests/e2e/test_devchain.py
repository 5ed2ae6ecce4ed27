"""`mintery devchain` in one process, the scripts and commands each in another, and `cast` reading what they did."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mintery.cli.run import run as run_here
from mintery.crypto.keys import dev_key
from mintery.crypto.vouchers import check_secret, decode_key

from .conftest import MINTERY, ROOT, Chain, environment, run, serving

ISSUER, HOLDER = dev_key(3).address, dev_key(4).address
CAST = next(ROOT.glob("contracts/node_modules/@foundry-rs/cast-*/bin/cast"), None)


def cast(chain: Chain, *arguments: str) -> str:
    assert CAST is not None, "npm ci in contracts/ brings cast"
    command = [CAST, *arguments, "--rpc-url", chain.url]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


@pytest.fixture(scope="module")
def token(devchain: Chain) -> str:
    """The scripts in sequence, as somebody who mints from scripts runs them."""
    deployed = devchain.script("deploy.py", "--symbol", "PXAI")
    assert deployed.code == 0, deployed.err
    for name, *arguments in (["mint.py", "1000"], ["transfer.py", "250", "dev:holder"], ["spend.py", "100", "Hello"]):
        ended = devchain.script(name, *arguments)
        assert ended.code == 0, ended.err
    assert "[TEST] echo: Hello" in ended.out
    return deployed.out.split("token ")[1].split()[0]


def test_cast_reads_the_name_and_symbol(devchain: Chain, token: str) -> None:
    assert cast(devchain, "call", token, "name()(string)") == '"PROJECTX_AI_CREDITS"'
    assert cast(devchain, "call", token, "symbol()(string)") == '"PXAI"'


def test_cast_reads_supply_and_balances_that_add_up(devchain: Chain, token: str) -> None:
    contracts = devchain.mintery("deploy").facts["contracts"]

    def amount(signature: str, *arguments: str) -> int:
        return int(cast(devchain, "call", token, signature, *arguments).split()[0])

    supply = amount("totalSupply()(uint256)")
    issuer = amount("balanceOf(address)(uint256)", ISSUER)
    holder = amount("balanceOf(address)(uint256)", HOLDER)
    escrow = amount("balanceOf(address)(uint256)", contracts["SpendEscrow"])

    assert issuer == 750 * 10**18
    assert holder == 150 * 10**18
    assert 0 < 100 * 10**18 - escrow < 10**18
    assert supply == issuer + holder + escrow


def test_the_commands_agree_with_cast(devchain: Chain, token: str) -> None:
    reserve = devchain.mintery("reserve", "show").facts
    (project,) = devchain.mintery("project", "list").facts["projects"]

    assert reserve["token"] == project["token"] == token
    assert int(reserve["supply"]) == int(project["supply"])
    assert int(reserve["supply"]) == int(cast(devchain, "call", token, "totalSupply()(uint256)").split()[0])


def test_deploying_again_changes_nothing(devchain: Chain, token: str) -> None:
    again = devchain.mintery("deploy").facts

    assert again["reused"] is True
    assert again["transactions"] == []


def test_credits_leave_escrow_and_come_back(devchain: Chain, token: str) -> None:
    key = ("--key", "dev:holder")
    before = devchain.mintery("exit", "status", *key).facts
    started = devchain.mintery("exit", "start", "10", *key).facts
    early = devchain.mintery("exit", "execute", *key)
    cancelled = devchain.mintery("exit", "cancel", *key)
    devchain.mintery("exit", "start", "10", *key)
    cast(devchain, "rpc", "evm_increaseTime", "3601")
    executed = devchain.mintery("exit", "execute", *key)

    assert before["exit"] is None
    assert started["unlock"] >= before["chain_time"] + 3600
    assert (early.code, early.facts["error"]["error"]) == (4, "ExitLocked")
    assert cancelled.code == 0
    assert executed.facts["credits"] == str(10 * 10**18)
    after = devchain.mintery("exit", "status", *key).facts
    assert int(before["balance"]) - int(after["balance"]) == 10 * 10**18


def test_closing_takes_everything_and_ends_the_epoch(devchain: Chain, token: str) -> None:
    friend = ("--key", "dev:friend")
    devchain.mintery("transfer", "50", "dev:friend", "--key", "dev:issuer")
    devchain.mintery("deposit", "50", *friend)
    voucher = devchain.mintery("voucher", "sign", "20", *friend).facts["api_key"]
    assert devchain.mintery("voucher", "show", voucher, "--check").facts["valid"] is True

    devchain.mintery("exit", "close", *friend)
    cast(devchain, "rpc", "evm_increaseTime", "3601")
    executed = devchain.mintery("exit", "execute", *friend).facts

    assert (executed["credits"], executed["epoch"]) == (str(50 * 10**18), 1)
    refused = devchain.mintery("voucher", "show", voucher, "--check")
    assert (refused.code, refused.facts["error"]["type"]) == (77, "WrongEpoch")


def test_a_topup_is_signed_by_one_and_paid_for_by_another(devchain: Chain, token: str) -> None:
    done = devchain.mintery("topup", "0.5", "--key", "dev:friend", "--relayer", "dev:admin", "--signer", "dev:9").facts

    assert (done["assets"], done["credits"], done["remainder"]) == ("500000", str(50 * 10**18), "0")
    assert done["relayer"] == dev_key(0).address
    assert int(done["balance"]) == 50 * 10**18


def test_a_price_feed_stands_once_for_everybody(devchain: Chain, token: str) -> None:
    before = devchain.mintery("price", "feed", "test/chat:output_token").facts
    placed = devchain.mintery("price", "feed", "test/chat:output_token", "--key", "dev:0").facts

    assert (before["stands"], placed["stands"]) == (False, True)
    assert before["feed"] == placed["feed"]
    assert cast(devchain, "call", placed["feed"], "description()(string)") == '"test/chat:output_token / USD"'


def test_what_is_published_names_what_stands(devchain: Chain, token: str, tmp_path: Path) -> None:
    contracts = devchain.mintery("deploy").facts["contracts"]
    listed = devchain.mintery("tokenlist", "--issuer", "dev:issuer", "--out", str(tmp_path / "tokens.json")).facts
    bundled = devchain.mintery("verify-bundle", str(tmp_path / "bundle")).facts

    assert [entry["address"] for entry in listed["tokens"]] == [token]
    assert json.loads((tmp_path / "tokens.json").read_text()) == listed
    assert {entry["address"] for entry in bundled["contracts"]} >= {*contracts.values(), token}
    assert (tmp_path / "bundle" / "standard-input.json").stat().st_size > 100_000


def test_roles_are_told_from_the_chain(devchain: Chain, token: str) -> None:
    roles = devchain.mintery("roles", "show").facts

    assert {(member["role"], member["account"]) for member in roles["members"]} == {
        ("admin", dev_key(0).address),
        ("guardian", dev_key(0).address),
    }
    assert roles["settlers"] == [{"gateway": dev_key(1).address, "settler": dev_key(2).address}]
    assert [project["token"] for project in roles["projects"]] == [token]


def test_minting_redeeming_and_paying_the_provider(devchain: Chain, token: str) -> None:
    minted = devchain.mintery("mint", "5", "--key", "dev:issuer", "--to", "dev:holder").facts
    redeemed = devchain.mintery("redeem", "5", "--key", "dev:holder").facts
    owed = devchain.mintery("provider", "list").facts["providers"][0]["owed"]
    paid = devchain.mintery("provider", "withdraw", "test", "--key", "dev:0")

    assert minted["assets"] == redeemed["assets"] == "50000"
    assert int(owed) > 0
    assert paid.facts["assets"] == owed
    assert (
        devchain.mintery("provider", "withdraw", "test", "--key", "dev:0").facts["error"]["error"]
        == "NothingToWithdraw"
    )


def test_the_ledger_agrees_with_the_chain(devchain: Chain, token: str) -> None:
    told = devchain.mintery("reconcile")

    assert told.code == 0, told.out
    assert told.facts["agrees"] is True
    assert len(told.facts["checks"]) > 10


def test_prices_are_reported_by_quorum(devchain: Chain, token: str) -> None:
    told = devchain.mintery("price", "report", "--everything").facts

    assert told["reported"] is True
    assert told["reports"] == 5


def test_a_gateway_of_its_own_process_is_paid_from_another(devchain: Chain, token: str) -> None:
    devchain.mintery("deposit", "20", "--key", "dev:holder")
    key = devchain.mintery("voucher", "sign", "20", "--key", "dev:holder").facts["api_key"]
    before = devchain.mintery("settle").facts["next_batch"]
    with serving("serve", "--test", "--port", "0", env=devchain.env) as served:
        told = devchain.mintery("chat", "Hi", "--api-key", key, "--url", served["base_url"])

    assert told.facts["answer"] == "[TEST] echo: Hi"
    # The gateway's own job may have been first.
    settled = devchain.mintery("settle").facts
    assert all((batch["receipts"], batch["skipped"]) == (1, 0) for batch in settled["batches"])
    assert (settled["next_batch"], settled["open"], settled["left_out"]) == (before + 1, [], [])


def test_a_gateway_with_nothing_to_sell_says_so(devchain: Chain, token: str) -> None:
    ended = devchain.mintery("serve", "--port", "0")

    assert (ended.code, ended.facts["error"]["type"]) == (78, "SettingMissing")


def test_nothing_is_left_to_settle(devchain: Chain, token: str) -> None:
    settled = devchain.mintery("settle").facts
    assert (settled["batches"], settled["left_out"], settled["halts"]) == ([], [], [])


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (["mint", "ten", "--key", "dev:issuer"], 64, "MalformedAmount"),
        (["mint", "1e3", "--key", "dev:issuer"], 64, "MalformedAmount"),
        (["mint", "10", "--key", "nobody"], 78, "UnknownAccountKey"),
        (["mint", "10", "--key", "dev:issuer", "--token", "NOSUCH"], 66, "UnknownProject"),
        (["mint", "99999999", "--key", "dev:issuer"], 4, "TransactionReverted"),
        (["transfer", "1", "0x1234", "--key", "dev:issuer"], 64, "MalformedInput"),
        (["transfer", "999999", "dev:holder", "--key", "dev:friend"], 3, "TransactionReverted"),
        (["voucher", "show", "mv1.AAAA"], 64, "MalformedVoucher"),
        (["receipt", "verify", "/no/such/file"], 66, "FileMissing"),
        (["provider", "withdraw", "nobody", "--key", "dev:0"], 66, "UnknownProvider"),
        (["chat", "Hi", "--api-key", "mv1.x", "--url", "http://127.0.0.1:1/v1"], 69, "GatewayUnreachable"),
        (["reserve", "show", "--rpc", "http://127.0.0.1:1"], 69, "RpcUnavailable"),
        (["mint"], 2, "Usage"),
        (["nonsense"], 2, "Usage"),
    ],
)
def test_what_goes_wrong_is_told_as_json(
    *,
    devchain: Chain,
    token: str,
    arguments: list[str],
    code: int,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process, which has loaded everything: another one for each case would take a second each."""
    monkeypatch.setenv("MINTERY_HOME", devchain.env["MINTERY_HOME"])
    monkeypatch.setenv("MINTERY_RPC_URL", devchain.url)
    monkeypatch.setattr(sys, "argv", ["mintery", *arguments, "--json"])

    ended = run_here([*arguments, "--json"])

    error = json.loads(capsys.readouterr().out)["error"]
    assert (ended, error["type"], error["exit_code"]) == (code, kind, code)


def test_a_command_without_a_deployment_says_what_to_do(tmp_path: Path) -> None:
    with serving("devchain", "--port", "0", env=environment(tmp_path)) as served:
        other = Chain(served["rpc_url"], environment(tmp_path, MINTERY_RPC_URL=served["rpc_url"]))
        ended = other.mintery("reserve", "show")

    assert (ended.code, ended.facts["error"]["type"]) == (78, "DeploymentMissing")
    assert "mintery deploy" in ended.facts["error"]["hint"]


def test_a_signed_key_is_printed_in_one_piece(devchain: Chain, token: str) -> None:
    command = [*MINTERY, "voucher", "sign", "1", "--key", "dev:holder", "--token", token]
    ended = run(*command, env={**devchain.env, "COLUMNS": "80"})

    assert ended.code == 0, ended.err
    signed = check_secret(decode_key(ended.out.splitlines()[-1])).signed
    assert signed.voucher.token == token


def test_a_ledger_that_was_mistyped_is_not_begun(devchain: Chain, token: str, tmp_path: Path) -> None:
    ended = devchain.mintery("reconcile", "--ledger", str(tmp_path / "mistyped.sqlite"))

    assert (ended.code, ended.facts["error"]["type"]) == (66, "FileMissing")
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_told(devchain: Chain) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = run(*MINTERY, "devchain", "--port", port, "--json", env=devchain.env)

    assert (ended.code, ended.facts["error"]["type"]) == (78, "PortTaken")
    assert ended.facts["error"]["port"] == int(port)


def test_a_missing_compiler_is_told_and_stops_nothing(devchain: Chain, token: str) -> None:
    env = {**devchain.env, "SOLC": "/no/such/solc"}
    found = {entry["what"]: entry for entry in run(*MINTERY, "doctor", "--json", env=env).facts["findings"]}
    deployed = run(*MINTERY, "deploy", "--json", env=env)

    assert found["compiler"]["state"] == "absent"
    assert found["compiler"]["remedy"]
    assert deployed.facts["reused"] is True


def test_files_of_another_chain_are_refused_and_left_as_they_are(devchain: Chain, token: str, tmp_path: Path) -> None:
    deployment = Path(devchain.mintery("deploy").facts["file"])
    ledger = deployment.with_name("ledger.sqlite")
    before = deployment.read_bytes(), ledger.read_bytes()

    with serving("devchain", "--port", "0", env=environment(tmp_path)) as served:
        other = Chain(served["rpc_url"], environment(tmp_path, MINTERY_RPC_URL=served["rpc_url"]))
        reused = other.mintery("deploy", "--deployment", str(deployment))
        read = other.mintery("reserve", "show", "--deployment", str(deployment))
        assert other.mintery("deploy").code == 0
        opened = other.mintery("reconcile", "--ledger", str(ledger))

    assert (reused.code, reused.facts["error"]["type"]) == (78, "DeploymentOfAnotherChain")
    assert (read.code, read.facts["error"]["type"]) == (78, "DeploymentOfAnotherChain")
    assert (opened.code, opened.facts["error"]["type"]) == (78, "LedgerOfAnotherChain")
    assert (deployment.read_bytes(), ledger.read_bytes()) == before
