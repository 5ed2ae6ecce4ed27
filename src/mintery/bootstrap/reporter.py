"""Puts one reporter together: its key, its eyes, its peers, and where it shows its report."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from yarl import URL

from mintery.bootstrap.kept_report import ReportFile
from mintery.bootstrap.opening import open_on_chain, utc_now
from mintery.bootstrap.price_sources import with_local_prices
from mintery.bootstrap.reporting import eyes_alone
from mintery.bootstrap.roles import dev_role
from mintery.bootstrap.serving import GatewayServer
from mintery.chain.deployment import deployment_path
from mintery.crypto.hashing import parse_address
from mintery.crypto.keys import PrivateKey
from mintery.domain.voucher import Address
from mintery.errors import FetchFailed, MalformedInput, MinteryError, NotReporter, SettingMissing, SettingRefused
from mintery.gateway.reporter import create_reporter_app
from mintery.providers.fetching import fetch_all
from mintery.settings import Settings, variable
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.report_alone import LoneReporter
from mintery.usecases.report_prices import PricesReported, Reporter
from mintery.usecases.reporter_meters import ReporterMeters

log = logging.getLogger(__name__)

PEER_SECONDS = 3.0
LOOK_SHARE = 0.1
"""Of an epoch, between two looks."""
LEAST_SECONDS = 0.2


@dataclass(slots=True)
class RunningReporter:
    """One reporter that is shown at ``url``. ``run`` until it is told to stop, then ``close``."""

    lone: LoneReporter
    server: GatewayServer
    meters: ReporterMeters
    seconds: float
    last: str = "nothing yet"

    @property
    def url(self) -> str:
        return self.server.url

    def run(self, stop: threading.Event) -> None:
        while True:
            self.tick()
            if stop.wait(self.seconds):
                return

    def tick(self) -> None:
        """One look. What fails is told, and tried again: the chain and the sources are others' machines."""
        now, alarms, end = utc_now(), self.lone.alarms, "failed"
        try:
            with self.meters.seconds.time():
                outcome = self.lone.tick(now)
        except MinteryError as error:
            log.warning("report failed", extra={"why": str(error)})
            alarms.sound(Alarm.JOB_FAILED, f"{type(error).__name__}: {error}", now, subject="report")
        except Exception as error:  # the edge of the process: nobody above it would look again
            log.exception("report failed")
            alarms.sound(Alarm.JOB_FAILED, type(error).__name__, now, subject="report")
        else:
            alarms.clear(Alarm.JOB_FAILED, subject="report")
            if isinstance(outcome, PricesReported):
                self.last, end = f"reported epoch {outcome.epoch}", "sent"
            else:
                self.last, end = outcome.why, "nothing"
        finally:
            self.meters.looks.labels(end).inc()

    def close(self) -> None:
        self.server.close()


def start_reporter(settings: Settings, key: PrivateKey | None = None) -> RunningReporter:
    """``key``: instead of the one in the settings.

    Raises:
        SettingMissing, SettingRefused, PortTaken, ConfigurationError, RpcUnavailable
        NotReporter: the oracle does not count this key.
    """
    chain = open_on_chain(settings)
    local = chain.rpc.is_local
    if local:
        settings = with_local_prices(settings, deployment_path(settings.home, chain.rpc.genesis_hash).parent)
    own = _only_key(settings) if key is None else key
    if own.address not in chain.oracle.reporters():
        raise NotReporter(own.address)
    alarms = Alarms()
    lone = LoneReporter(
        chain=chain,
        reporter=Reporter(own, eyes_alone(settings)),
        sender=chain.sender(_payer(settings, own, local=local)),
        peers=parse_peers(settings.reporter_peers, own.address),
        fetch_all=_fetch_all,
        alarms=alarms,
        heartbeat=settings.price_heartbeat,
        kept=ReportFile(settings.home, chain.rpc.genesis_hash, chain.oracle.address, own.address),
    )
    seconds = max(LEAST_SECONDS, min(settings.price_interval, chain.oracle.epoch_length() * LOOK_SHARE))
    meters = ReporterMeters(lone)
    app = create_reporter_app(lone.shown, lambda: _health(lone), meters.registry)
    return RunningReporter(lone, GatewayServer(app, settings.host, settings.port), meters, seconds)


def parse_peers(entries: Sequence[str], own: Address) -> Mapping[Address, str]:
    """``0xADDRESS=https://host/v1/price-report``: each reporter's address and where it shows its report.

    Raises:
        SettingRefused: one is of another form, there twice, or this reporter itself.
    """
    name, peers = variable("reporter_peers"), dict[Address, str]()
    for entry in entries:
        text, _, url = entry.partition("=")
        try:
            address = parse_address(text)
        except MalformedInput as error:
            raise SettingRefused(name, str(error)) from None
        if not _is_page(url):
            raise SettingRefused(name, "write each as 0xADDRESS=https://host/v1/price-report")
        if address == own:
            raise SettingRefused(name, f"{address} is this reporter's own key: two may not share one")
        if address in peers or url in peers.values():
            raise SettingRefused(name, f"{address} or its page is there twice")
        peers[address] = url
    return peers


def _is_page(text: str) -> bool:
    """Reports are signed and public, so plain text will do."""
    try:
        url = URL(text)
    except ValueError:
        return False
    return bool(url.host) and url.scheme in {"http", "https"}


def _fetch_all(urls: Sequence[str], most_bytes: int) -> list[bytes | FetchFailed]:
    return fetch_all(urls, most_bytes=most_bytes, seconds=PEER_SECONDS)


def _only_key(settings: Settings) -> PrivateKey:
    keys = settings.reporter_keys
    if not keys:
        raise SettingMissing(variable("reporter_keys"), "a reporter signs what its sources say")
    if len(keys) > 1:
        raise SettingRefused(variable("reporter_keys"), "a reporter that runs alone has one key")
    return PrivateKey.from_hex(keys[0].get_secret_value())


def _payer(settings: Settings, own: PrivateKey, *, local: bool) -> PrivateKey:
    """Who pays the gas: the sender's key where one is set, else the reporter itself; on a local chain the dev admin."""
    if settings.sender_key is not None:
        return PrivateKey.from_hex(settings.sender_key.get_secret_value())
    return dev_role("admin", local=local) if local else own


def _health(lone: LoneReporter) -> Mapping[str, Any]:
    """A reporter that others must not restart for what its peers do works, whatever it says of them."""
    standing = lone.alarms.standing()
    return {
        "reporter": lone.address,
        "works": all(each.alarm is not Alarm.JOB_FAILED for each in standing),
        "peers": sorted(lone.peers),
        "alarms": [
            {"alarm": each.alarm.value, "subject": each.subject, "why": each.why, "since": each.since.isoformat()}
            for each in standing
        ],
    }
