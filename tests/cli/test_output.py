"""Where output goes when nobody, or nothing, takes it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.forking import forking

from mintery.cli.output import pairs, printable, show, table

MINTERY = f"{sys.executable} -m mintery.cli"
SCRIPTS = Path(__file__).parents[2] / "scripts"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", f"set -o pipefail; {line}"], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", ["voucher show mv1.x", "voucher show mv1.x --json", "nonsense --json"])
@pytest.mark.parametrize("to", [">&-", "| head -c 0"])
def test_an_answer_that_nobody_reads_ends_without_a_traceback(arguments: str, to: str) -> None:
    ended = shell(f"{MINTERY} {arguments} {to}")

    assert ended.returncode == (2 if "nonsense" in arguments else 64)
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
def test_a_full_disk_is_told() -> None:
    ended = shell(f"{MINTERY} voucher show mv1.x --json >/dev/full")

    assert ended.returncode == 78
    assert ended.stderr.count("\n") == 1
    assert "standard output takes nothing" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["receipt", "verify", "/"], 78),
        (["receipt", "verify", "/no/such/file"], 66),
        (["chat", "x", "--api-key", ""], 77),
    ],
)
def test_a_wrong_file_or_key_is_one_line(arguments: list[str], code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "mintery.cli", *arguments], capture_output=True, text=True, check=False
    )

    assert ended.returncode == code
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("script", ["deploy.py", "mint.py 5", "transfer.py 5 dev:holder", "spend.py 5 hello"])
def test_a_script_without_a_chain_says_so_without_a_traceback(script: str) -> None:
    name, *arguments = script.split()
    command = [sys.executable, str(SCRIPTS / name), *arguments, "--rpc", "http://127.0.0.1:1"]
    code, _, said = forking().run(command, os.environ, SCRIPTS, 120)

    assert code == 69
    assert said.splitlines()[0] == "mintery: the rpc at http://127.0.0.1:1 does not answer: connection refused"
    assert len(said.splitlines()) == 2


def test_a_symbol_gives_no_orders_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    symbol = "X\x1b]0;title\x07\x1b[2J\u202eY\r"
    show({}, table(symbol, ("token",), [(symbol,)]), as_json=False)
    show({}, pairs(symbol, [(symbol, symbol)]), as_json=False)

    shown = capsys.readouterr().out

    assert shown.count("\N{REPLACEMENT CHARACTER}]0;title") == 5
    assert not {char for char in shown if not char.isprintable()} - {"\n"}
    assert printable("dollars: 1,5 €\nßø") == "dollars: 1,5 €\nßø"
