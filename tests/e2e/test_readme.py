"""What the README tells people to run is run."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from mintery.cli.run import run as run_here

from .conftest import MINTERY, ROOT, Up, environment, run, serving

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", README, flags=re.DOTALL)
SHELL = [line.partition("  #")[0].strip() for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
EXPORT = "export MINTERY_API_KEY=mv1.… MINTERY_HOLDER_KEY=dev:holder"
PYTHON = [block for kind, block in BLOCKS if kind == "python"]


def test_it_is_short() -> None:
    assert len(README.splitlines()) < 150


def test_an_app_pays_in_fifteen_lines() -> None:
    assert len(PYTHON[0].splitlines()) <= 15


def test_the_python_blocks_run_as_they_stand(up: Up, capsys: pytest.CaptureFixture[str]) -> None:
    program = "\n".join(PYTHON).replace("http://127.0.0.1:8787/v1", up.base_url).replace("mv1.…", up.api_key)

    exec(compile(program, "README.md", "exec"), {})  # noqa: S102 -- our own page

    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("[TEST]")
    assert re.fullmatch(r"[1-9]\d* nanocredits \(1e-9 credit\) for test/chat", printed[1])
    assert re.fullmatch(r"at most 0\.\d+ credits", printed[2])


def test_the_commands_of_the_first_mint_run_in_their_order(tmp_path: Path) -> None:
    begun = SHELL.index(".venv/bin/mintery devchain")
    with serving("devchain", "--port", "0", env=environment(tmp_path)) as served:
        env = environment(tmp_path, MINTERY_RPC_URL=served["rpc_url"])
        for line in SHELL[begun + 1 :]:
            program, *arguments = shlex.split(line)
            if program.endswith("mintery"):
                ended = run(*MINTERY, *arguments, env=env)
            else:
                ended = run(sys.executable, *arguments, "--rpc", served["rpc_url"], env=env)
            assert ended.code == 0, f"{line}\n{ended.out}\n{ended.err}"


def test_the_commands_of_the_wallet_run_in_their_order(up: Up, tmp_path: Path) -> None:
    begun, ended = SHELL.index(EXPORT), SHELL.index(".venv/bin/mintery devchain")
    env = up.env | {"MINTERY_API_KEY": up.api_key, "MINTERY_HOLDER_KEY": "dev:holder"}
    for line in SHELL[begun + 1 : ended]:
        said = run(*MINTERY, *shlex.split(line)[1:], env=env, cwd=tmp_path)
        assert said.code == 0, f"{line}\n{said.out}\n{said.err}"
    assert (tmp_path / "statement.csv").stat().st_size > 0


def test_every_script_and_file_it_names_is_there() -> None:
    named = set(re.findall(r"(?:scripts|src|contracts|tests)/[\w./-]*[\w/]", README))
    named |= {"hardhat-free-devchain.md", "CHANGELOG.md", "LICENSE"}

    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`mintery ([a-z]+(?: [a-z]+)?)`", README))))
def test_every_command_it_names_is_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here([*command.split(), "--help"]) == 0
    assert "Usage" in capsys.readouterr().out
