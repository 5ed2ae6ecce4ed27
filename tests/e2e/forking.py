"""Commands in processes of their own that need not import other people's packages again: three seconds of each, and there are
a hundred. A process that has imported those, and nothing of Mintery, forks into each command; what is ours is imported anew.

``python -m tests.e2e.forking`` is that process: a line of JSON for each command, and one for how it ended.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "aiohttp", "alembic.command", "apscheduler.schedulers.background", "coincurve", "eth.chains.mainnet", "eth_abi", "eth_account",
    "eth_tester", "fastapi", "openai", "orjson", "prometheus_client", "psycopg", "pydantic_settings", "requests", "rich.console",
    "solcx", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite", "typer", "uvicorn", "web3",
)  # fmt: skip
"""What is missing here is imported by who needs it."""


class Forking:
    """The process that forks. It ends when this one does."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.e2e.forking"]
        self._program = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._turn = threading.Lock()

    def run(self, command: Sequence[str], env: Mapping[str, str], cwd: Path, seconds: float) -> tuple[int, str, str]:
        """``python -m MODULE …`` or ``python FILE …``: the exit code, as ``subprocess`` has it, and both outputs.

        Raises:
            TimeoutExpired: the command was killed after ``seconds``.
        """
        with self._turn, TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            asked = {"command": command[1:], "env": dict(env), "cwd": str(cwd), "out": str(out), "err": str(err)}
            pid = self._ask(asked)["pid"]
            killing = threading.Timer(seconds, os.kill, (pid, signal.SIGKILL))
            killing.start()
            ended = self._ask({})
            killing.cancel()
            if killing.finished.is_set() and ended["code"] == -signal.SIGKILL:
                raise subprocess.TimeoutExpired(list(command), seconds)
            return ended["code"], out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")

    def _ask(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps(asked) + "\n")
        self._program.stdin.flush()
        answer: dict[str, Any] = json.loads(self._program.stdout.readline())
        return answer

    def close(self) -> None:
        self._program.communicate()


@cache
def forking() -> Forking:
    """Of this process: begun when it is first asked for."""
    begun = Forking()
    atexit.register(begun.close)
    return begun


def _commands() -> Iterator[tuple[int, dict[str, Any]]]:
    """Each command in a fork, which leaves here with it; the parent waits until the fork has ended."""
    while line := sys.stdin.readline():
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            yield pid, asked
            return
        _tell({"pid": pid})
        sys.stdin.readline()
        _, status = os.waitpid(pid, 0)
        _tell({"code": os.waitstatus_to_exitcode(status)})


def _tell(answer: Mapping[str, int]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def _become(asked: Mapping[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    wanted = os.O_WRONLY | os.O_CREAT
    for number, (path, flags) in enumerate(((os.devnull, os.O_RDONLY), (asked["out"], wanted), (asked["err"], wanted))):
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    first, *rest = asked["command"]
    if first == "-m":
        sys.argv[:] = rest
        sys.path[0] = str(Path.cwd())
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = [first, *rest]
        sys.path[0] = str(Path(first).parent.absolute())
        runpy.run_path(first, run_name="__main__")


def main() -> None:
    for name in PACKAGES:
        import_module(name)
    ours = [name for name in sys.modules if name.partition(".")[0] == "mintery"]
    assert (ours, threading.active_count()) == ([], 1)
    gc.collect()
    gc.freeze()  # or each fork would look through all of it, and again when it ends
    for _, asked in _commands():
        _become(asked)


if __name__ == "__main__":
    main()
