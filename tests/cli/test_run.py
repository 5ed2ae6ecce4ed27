"""The command line in this process: what it prints, what it imports, and what it never shows."""

import json
import shlex
import subprocess
import sys

import pytest
import typer

from mintery.cli.app import app
from mintery.cli.examples import EXAMPLES, commands_of
from mintery.cli.run import run
from mintery.client import sign_voucher_key
from mintery.crypto.keys import PrivateKey
from mintery.domain.voucher import Address, EscrowDomain
from mintery.errors import TransactionReverted
from mintery.units import CreditUnits, UnixSeconds

HEAVY = [
    "web3",
    "sqlalchemy",
    "fastapi",
    "eth_tester",
    "eth_account",
    "aiohttp",
    "apscheduler",
    "openai",
    "mintery.chain.rpc",
]


NEEDED = ("MINTERY_API_KEY", "MINTERY_HOLDER_KEY", "MINTERY_OPERATOR_KEY")


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mintery", *arguments])
    return run([*arguments])


def test_the_map_of_commands_imports_nothing_heavy() -> None:
    program = f"import json, sys, mintery.cli; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)

    assert json.loads(ended.stdout) == []


COMMANDS = [name for name, _ in commands_of(app)]
PARSER = typer.main.get_command(app)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_takes_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "100")

    assert called(monkeypatch, *command.split(), "--help") == 0
    shown = capsys.readouterr().out
    assert "--json" in shown
    assert f"Example: mintery {command}" in shown
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_every_example_is_of_a_command() -> None:
    assert sorted(EXAMPLES) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_example_is_understood(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """By the command's own parser; what it cannot have without a variable is in the environment."""
    monkeypatch.setattr("os.environ", dict.fromkeys(NEEDED, "x"))
    parser = PARSER
    for name in command.split():
        assert isinstance(parser, typer.core.TyperGroup)
        parser = parser.commands[name]

    parser.make_context(command, shlex.split(EXAMPLES[command]))


def test_no_color_means_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    called(monkeypatch, "--help")

    assert "\x1b[3" not in capsys.readouterr().out


def test_the_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("mintery ")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Makes `mintery voucher show` raise whatever the test puts into the list."""
    raised: list[Exception] = []

    def fail(*_arguments: object, **_options: object) -> None:
        raise raised[0]

    monkeypatch.setattr("mintery.crypto.vouchers.decode_key", fail)
    return raised


def test_an_error_is_told_to_people_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: list[Exception]
) -> None:
    failing.append(TransactionReverted("mint", "MintAboveCap", {"limit": 5}))

    assert called(monkeypatch, "voucher", "show", "mv1.x") == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "mint was refused by the contract: MintAboveCap(limit=5)" in shown.err


def test_an_error_is_told_to_programs_with_its_attributes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: list[Exception]
) -> None:
    failing.append(TransactionReverted("mint", "MintAboveCap", {"limit": 2**96, "token": "0xab"}))

    assert called(monkeypatch, "voucher", "show", "mv1.x", "--json") == 4
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["type"] == "TransactionReverted"
    assert error["arguments"] == {"limit": str(2**96), "token": "0xab"}
    assert error["exit_code"] == 4


@pytest.mark.parametrize("as_json", [True, False])
def test_a_fault_of_ours_repeats_nothing_that_may_be_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: list[Exception], as_json: bool
) -> None:
    failing.append(RuntimeError("private key 0x1234"))

    assert called(monkeypatch, "voucher", "show", "mv1.x", *(["--json"] if as_json else [])) == 70
    shown = capsys.readouterr()
    assert "0x1234" not in shown.out + shown.err
    assert "RuntimeError" in shown.out + shown.err


def test_a_wrong_command_is_told_with_where_to_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, "voucher", "sign", "5") == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "mintery: Missing option '--key'.",
        "         On a local chain: --key dev:holder, or dev:issuer who mints. Else a keystore file, or the name of a variable.",
        "         `mintery voucher sign -h` shows how it is used.",
    ]


def test_an_interrupt_has_its_own_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: list[Exception]
) -> None:
    failing.append(typer.Abort())

    assert called(monkeypatch, "voucher", "show", "mv1.x", "--json") == 130


def test_a_voucher_is_shown_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = bytes(range(32))
    key = sign_voucher_key(
        PrivateKey.from_bytes((7).to_bytes(32)),
        EscrowDomain(1337, Address("0x00000000000000000000000000000000000000EE")),
        token=Address("0x00000000000000000000000000000000000000Aa"),
        gateway=Address("0x00000000000000000000000000000000000000bb"),
        max_spend=CreditUnits(10**18),
        deadline=UnixSeconds(2_000_000_000),
        secret=secret,
    )

    assert called(monkeypatch, "voucher", "show", key, "--json") == 0
    shown = capsys.readouterr().out
    assert key not in shown
    assert secret.hex() not in shown
    assert json.loads(shown)["max_spend"] == str(10**18)
