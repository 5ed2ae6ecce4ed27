"""What the other documents say is so: their commands, settings, tests and figures are those of this tree."""

import json
import re

import pytest

from mintery.cli.app import app
from mintery.cli.examples import commands_of
from mintery.settings import Settings

from .conftest import ROOT

CONTRACTS = ROOT / "contracts"
NAMES = ("README.md", "CHANGELOG.md", "hardhat-free-devchain.md", "contracts/README.md", "tests/bench/README.md")
DOCUMENTS = {name: (ROOT / name).read_text() for name in NAMES}
TRUST, SPEED, DEVCHAIN = (DOCUMENTS[name] for name in (NAMES[3], NAMES[4], NAMES[2]))
COMMANDS = {name for name, _ in commands_of(app)}
GROUPS = {name.partition(" ")[0] for name in COMMANDS if " " in name}
GAS = {
    "open a project": ["open a project"],
    "mint": ["mint"],
    "mint by authorization": ["mint by authorization"],
    "transfer": ["transfer"],
    "deposit (first / again)": ["deposit into a new account", "deposit"],
    "top up from the asset": ["top up from the asset"],
    "start, execute an exit": ["start an exit", "execute an exit"],
    "redeem": ["redeem"],
    "settle 1 line": ["settle 1 line"],
    "settle 10 lines": ["settle 10 lines"],
    "settle 100 lines": ["settle 100 lines"],
    "settle 200 lines": ["settle 200 lines"],
    "each further line (10 / 100 / 200)": [f"each further line, in a batch of {size}" for size in (10, 100, 200)],
    "a further usage entry": ["a further usage entry of the same provider"],
    "a further token with one line": ["a further token with one line"],
    "report 1 / 10 / 100 changed prices": [
        f"report {so_many} changed price{s}" for so_many, s in ((1, ""), (10, "s"), (100, "s"))
    ],
}


def named_commands(text: str) -> set[str]:
    """``mintery a b|c`` in backticks names two."""
    named = set()
    for words in re.findall(r"`mintery ([^`]*)`", text):
        first, *rest = re.sub(r"\|\s+", "|", words).split()
        if first.startswith("-"):
            continue
        seconds = rest[0].split("|") if rest and first in GROUPS and re.fullmatch(r"[a-z|-]+", rest[0]) else [""]
        named |= {f"{each} {second}".strip() for each in first.split("|") for second in seconds}
    return named


@pytest.mark.parametrize("name", NAMES)
def test_every_command_it_names_is_there(name: str) -> None:
    assert named_commands(DOCUMENTS[name]) - COMMANDS - GROUPS == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_it_names_is_there(name: str) -> None:
    settings = {f"MINTERY_{field.upper()}" for field in Settings.model_fields}
    options = {"MINTERY_URL", "MINTERY_API_KEY", "MINTERY_HOLDER_KEY"}
    named = set(re.findall(r"\bMINTERY_[A-Z_]*[A-Z]", DOCUMENTS[name]))

    assert named - settings - options == set()


def test_the_chain_in_a_program_runs_as_it_stands() -> None:
    [program] = re.findall(r"```python\n(.*?)```", DEVCHAIN, flags=re.DOTALL)

    exec(compile(program, "hardhat-free-devchain.md", "exec"), {})  # noqa: S102 -- our own page


def test_the_gas_is_what_was_measured() -> None:
    measured = json.loads((CONTRACTS / "snapshots/transactions.json").read_text())
    cells = [
        [cell.strip().strip("*") for cell in line.strip("| ").split("|")]
        for line in TRUST.partition("| transaction | gas |")[2].splitlines()[2:]
        if line.startswith("|")
    ]
    told = {name: gas for row in cells[:8] for name, gas in ((row[0], row[1]), (row[3], row[4]))}

    assert {name: [int(each.replace(",", "")) for each in re.split(r" / |, ", gas)] for name, gas in told.items()} == {
        name: [measured[each] for each in names] for name, names in GAS.items()
    }


def test_every_incident_has_its_tests() -> None:
    table = TRUST.partition("| incident | test in")[2].partition("\n## ")[0]
    for file, tests in re.findall(r"\| `(\w+)`: (.*) \|", table):
        source = (CONTRACTS / f"test/incidents/{file}.t.sol").read_text()
        for test in re.findall(r"`…?(\w+)`", tests):
            assert re.search(rf"function \w*{test}\(", source), test


def test_every_campaign_and_proof_is_there() -> None:
    campaigns = "".join(path.read_text() for path in (CONTRACTS / "test/invariants").glob("*.t.sol"))
    table = TRUST.partition("| | | campaigns | proofs |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")] for line in table.splitlines() if line.startswith("| S")]
    assert [row[1] for row in rows] == [f"S{rule}" for rule in range(1, 10)]
    for _, _, _, tests, proofs, _ in rows:
        assert all(re.search(rf"\w*{name.rstrip('…')}", campaigns) for name in re.findall(r"`(\w+)…?`", tests))
        assert all((CONTRACTS / f"test/proofs/{proof}.t.sol").exists() for proof in re.findall(r"`(\w+)`", proofs))


def test_the_speed_is_told_alike_in_both_places() -> None:
    table = [[float(cell) for cell in re.findall(r"\d\.\d\d", line)] for line in SPEED.splitlines() if "| 0." in line]
    told = DOCUMENTS["README.md"].partition("## How fast")[2]
    at_16 = [row[:2] for row in table[:2]]
    json_, sse = min(row[0] for row in at_16), max(row[1] for row in at_16)

    assert f"Mintery answers {json_} (JSON) to {sse:.2f} (SSE)" in told
    assert "1.2 ms longer on SQLite, 2.6 ms on PostgreSQL" in told
    assert "1.2 ms longer on SQLite and 2.6 ms on PostgreSQL" in SPEED


@pytest.mark.parametrize("name", NAMES)
def test_every_file_it_names_is_there(name: str) -> None:
    folder = (ROOT / name).parent
    roots = "scripts|src|contracts|tests|interfaces|snapshots" + ("|test" if folder == CONTRACTS else "")
    named = re.findall(rf"`((?:{roots})/[\w./-]*[\w/])`", DOCUMENTS[name])

    assert [each for each in named if not (folder / each).exists() and not (ROOT / each).exists()] == []
