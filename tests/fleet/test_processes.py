"""``mintery serve --processes``: one port, several processes, none of which is missed when it dies."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.databases import Database
from tests.fleet.fleet import OPERATOR, Serving, Site, alive, eventually, launch

from mintery.cli.run import run


def test_processes_behind_one_port_are_replaced_when_they_die_and_end_with_their_supervisor(
    town: Site, shared: Database, log: Path
):
    serving = launch(town.environment(shared.url), "--port", "0", "--processes", "2", log=log).wait_until_ready()
    first, second = (child["pid"] for child in serving.facts["processes"])

    def answering() -> int:
        return int(serving.get("/operator/status")["process"].rpartition(":")[2])

    seen = {answering() for _ in range(20)}
    assert seen <= {first, second}
    assert eventually(lambda: serving.chat(town.keys[0])[0] == 200)

    here, there = (Serving(serving.process, {"base_url": f"{each['url']}/v1"}) for each in serving.facts["processes"])
    _forbid_resale_in_one_process_and_see_it_in_the_other(serving, town.keys[0])
    assert here.ask("POST", "/operator/drain", None, OPERATOR)[1]["draining"]
    assert (here.chat(town.keys[0])[0], there.chat(town.keys[0])[0]) == (503, 200)

    os.kill(first, signal.SIGKILL)

    def paid() -> bool:
        """A connection that the dead process had not taken yet is reset, once."""
        try:
            return serving.chat(town.keys[0])[0] == 200
        except ConnectionError:
            return False

    assert sum(paid() for _ in range(10)) >= 8
    assert eventually(lambda: answering() not in {first, second}), "a new process answers"

    third = next(pid for _ in iter(int, 1) if (pid := answering()) not in {first, second})
    serving.kill()
    assert eventually(lambda: not alive(second))
    assert eventually(lambda: not alive(third))


def _forbid_resale_in_one_process_and_see_it_in_the_other(serving: Serving, key: str) -> None:
    """Within seconds, and nothing restarts."""
    urls = [str(each["url"]) for each in serving.facts["processes"]]
    here = Serving(serving.process, {"base_url": urls[0]})
    answering = [Serving(serving.process, {"base_url": f"{url}/v1"}) for url in urls]

    def set_resale(*, on: bool) -> Any:
        said = {"on": on, "reason": "the contract", "by": "ann"}
        return here.ask("PUT", "/admin/channels/providers/test/resale", said, OPERATOR)[1]["change"]["after"]

    def codes() -> list[int]:
        return [each.chat(key)[0] for each in answering]

    assert set_resale(on=False) is False
    assert answering[0].chat(key)[1]["error"]["code"] == "resale_forbidden"
    assert eventually(lambda: codes() == [503, 503], seconds=10)
    assert set_resale(on=True) is True
    assert eventually(lambda: codes() == [200, 200], seconds=10)


@pytest.mark.parametrize("named", [("--ledger", "ledger.sqlite"), ()])
def test_a_sqlite_file_takes_one_process(
    named: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("MINTERY_HOME", str(tmp_path))
    monkeypatch.delenv("MINTERY_LEDGER", raising=False)

    assert run(["serve", "--port", "0", "--processes", "2", *named]) == 78

    said = capsys.readouterr().err
    assert "2 processes" in said
    assert "postgresql://" in said


def test_what_keeps_a_process_from_starting_is_told_once_and_by_its_code(town: Site, log: Path):
    unreachable = "postgresql://postgres@127.0.0.1:1/none"
    refused = launch(town.environment(unreachable), "--port", "0", "--processes", "2", log=log)

    assert refused.process.stdout is not None
    with refused.process.stdout as told:
        said = told.read()
    assert refused.process.wait(60) == 70
    assert said.count('"LedgerUnavailable"') == 1
