"""Reporters as they run: over HTTP, each by itself."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from mintery.bootstrap.kept_report import ReportFile
from mintery.bootstrap.local import local_deployment, stub_config
from mintery.bootstrap.opening import open_on_chain
from mintery.bootstrap.price_sources import LOCAL_PRICES
from mintery.bootstrap.reporter import RunningReporter, parse_peers, start_reporter
from mintery.bootstrap.roles import REPORTERS, dev_role
from mintery.chain.deploy import deploy
from mintery.chain.deployment import deployment_path
from mintery.chain.devchain.chain import DevChain
from mintery.chain.rpc import connect
from mintery.errors import NotReporter, SettingMissing, SettingRefused, SystemRefused
from mintery.settings import Settings
from mintery.usecases.onchain import OnChain

OWN, OTHER = (dev_role(name, local=True).address for name in REPORTERS[:2])


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with DevChain() as devchain, devchain.serve(port=0) as server:
        rpc = connect(server.url)
        config = replace(local_deployment((stub_config("http://127.0.0.1:9"),)), epoch_length=3)
        deploy(rpc, dev_role("admin", local=True), config, deployment_path(tmp_path, rpc.genesis_hash))
        yield Settings(home=tmp_path, rpc_url=server.url, port=0)


def priced(chain: OnChain) -> set[str]:
    return {str(price.sku) for price in chain.oracle.prices_in_force(at=chain.rpc.block())}


def test_five_reporters_bring_the_first_prices_into_force_without_a_hub(settings: Settings):
    wanted = set(LOCAL_PRICES) - {"asset:usd"}
    stop = threading.Event()
    with ExitStack() as scope:
        running: list[RunningReporter] = []
        for name in REPORTERS:
            running.append(start_reporter(settings, dev_role(name, local=True)))
            scope.callback(running[-1].close)
        assert httpx2.get(running[0].url + "/v1/price-report").status_code == 404
        for each in running:
            each.lone.peers = {
                other.lone.address: other.url + "/v1/price-report" for other in running if other is not each
            }
        threads = [threading.Thread(target=each.run, args=(stop,)) for each in running]
        for thread in threads:
            thread.start()
        scope.callback(lambda: [thread.join() for thread in threads])
        scope.callback(stop.set)

        chain, until = open_on_chain(settings), time.monotonic() + 60
        while not wanted <= priced(chain):
            assert time.monotonic() < until, [each.last for each in running]
            time.sleep(0.2)

        report = httpx2.get(running[0].url + "/v1/price-report").json()
        assert report["reporter"] == OWN
        health = httpx2.get(running[0].url + "/healthz")
        assert (health.status_code, health.json()["reporter"], health.json()["works"]) == (200, OWN, True)


def test_a_reporter_that_runs_alone_has_one_key(settings: Settings):
    with pytest.raises(SettingMissing):
        start_reporter(settings)
    with pytest.raises(NotReporter):
        start_reporter(settings, dev_role("admin", local=True))
    two = settings.model_copy(update={"reporter_keys": (object(), object())})
    with pytest.raises(SettingRefused, match="one key"):
        start_reporter(two)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([f"{OWN}=https://a.example/x"], "own key"),
        ([f"{OTHER}=https://a.example/x", f"{OTHER}=https://b.example/x"], "twice"),
        ([f"{OTHER}=//a.example/x"], "write each as"),
        ([f"{OTHER}=file:///etc/passwd"], "write each as"),
        ([OTHER], "write each as"),
        (["https://a.example/x"], "address"),
    ],
)
def test_peers_that_cannot_be_meant_are_refused(entries: list[str], why: str):
    with pytest.raises(SettingRefused, match=why):
        parse_peers(entries, OWN)


def test_a_reporter_has_metrics_and_keeps_its_report(settings: Settings):
    running = start_reporter(settings, dev_role(REPORTERS[0], local=True))
    try:
        running.tick()
        shown = running.lone.shown()
        metrics = httpx2.get(running.url + "/metrics").text
    finally:
        running.close()

    assert shown is not None
    [kept] = settings.home.glob(f"*/price-report-*-{OWN.lower()}.json")
    assert kept.read_bytes() == shown
    own = {"reporter": OWN, "own": "true"}
    assert running.meters.registry.get_sample_value("mintery_reporter_epoch", own) == json.loads(shown)["epoch"]
    assert f'mintery_reporter_epoch{{own="true",reporter="{OWN}"}}' in metrics
    assert 'mintery_reporter_looks_total{end="nothing"} 1.0' in metrics
    assert 'mintery_alarms_standing{alarm="job_failed"} 0.0' in metrics


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path):
    kept = ReportFile(tmp_path, "0x" + "ab" * 32, OWN, OTHER)
    assert kept.read() is None
    kept.write(b"one")
    kept.write(b"two")
    assert kept.read() == b"two"
    assert len(list(tmp_path.glob("*/*"))) == 1

    blocked = ReportFile(tmp_path / "file", "0x" + "ab" * 32, OWN, OTHER)
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(SystemRefused):
        blocked.write(b"three")
    with pytest.raises(SystemRefused):
        blocked.read()


def test_a_reporter_whose_chain_is_gone_says_so_and_goes_on(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    running = start_reporter(settings, dev_role(REPORTERS[0], local=True))
    try:
        with monkeypatch.context() as broken:
            broken.setattr(running.lone, "heartbeat", None)
            broken.setattr(running.lone, "chain", None)
            running.tick()
        down = httpx2.get(running.url + "/healthz")
        running.tick()
        up = httpx2.get(running.url + "/healthz")
    finally:
        running.close()

    assert (down.status_code, down.json()["alarms"][0]["alarm"]) == (503, "job_failed")
    assert (up.status_code, up.json()["alarms"]) == (200, [])
