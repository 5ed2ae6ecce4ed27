"""What the gateway is made of. Bootstrap puts it together; use cases take it apart."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry

from mintery.crypto.keys import PrivateKey
from mintery.domain.hold import RequestId
from mintery.domain.limits import Calendar
from mintery.domain.market import Market
from mintery.domain.model import Model
from mintery.domain.peer import TrustedProxies
from mintery.domain.price import FreshnessLimits
from mintery.domain.voucher import Address, EscrowDomain
from mintery.ledger.reads import Ledger
from mintery.providers.calls import Provider
from mintery.providers.long_jobs import JobProvider
from mintery.units import UnixSeconds
from mintery.usecases.alarms import StandingAlarm
from mintery.usecases.channel_board import ChannelBoard
from mintery.usecases.known_credentials import KnownCredentials
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.public_chain import PublicChain
from mintery.usecases.relay import Relay
from mintery.usecases.routes import Routes
from mintery.usecases.standings import Standings
from mintery.usecases.tariffs import Tariffs

MARK_BYTES = 4
_TIME_BYTES = 6
_RANDOM_BYTES = 16 - MARK_BYTES - _TIME_BYTES
_DRAWN_AT_ONCE = 256


def mark_of(request: RequestId) -> str:
    """Of the process that answers it."""
    return request.removeprefix("req_")[: 2 * MARK_BYTES]


class RandomEnds:
    """Of ids, as hex digits. Many are drawn at once: each call of the system lets go of the interpreter, and whoever serves
    would wait for the ledger's writer to give it back.
    """

    def __init__(self) -> None:
        self._drawn: list[str] = []

    def next(self) -> str:
        """From any thread."""
        while True:
            try:
                return self._drawn.pop()
            except IndexError:
                digits = secrets.token_hex(_RANDOM_BYTES * _DRAWN_AT_ONCE)
                size = 2 * _RANDOM_BYTES
                self._drawn.extend([digits[at : at + size] for at in range(0, len(digits), size)])


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """How much one client, and all of them, may ask for.

    Attributes:
        body_bytes: of a request.
        body_seconds: how long a request's body may take to arrive.
        in_flight: requests that are being answered at once, by one process.
        in_flight_per_account: of these, one account's.
        waiting: requests that wait for room at once, by one process, each for ``wait_seconds`` at most.
        kept_answer_bytes: of an answer that is kept for retries; a longer one is not kept.
        choices: the most answers (``n``) in one request.
        grace_seconds: how long a hold outlives the longest call, for the capture's own commit.
        drain_seconds: how long a stopping gateway waits for what it is answering.
    """

    body_bytes: int = 4 * 1024 * 1024
    body_seconds: int = 60
    in_flight: int = 1_000
    in_flight_per_account: int = 1_000
    waiting: int = 0
    wait_seconds: float = 0
    kept_answer_bytes: int = 1024 * 1024
    choices: int = 16
    grace_seconds: int = 30
    drain_seconds: int = 30


@dataclass(frozen=True, slots=True)
class DevHolder:
    """The holder of a local chain, whose key everybody knows. ``key_hash``: SHA-256 of what signs in as that one."""

    holder: PrivateKey
    key_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayParts:
    """Everything a gateway needs.

    Attributes:
        market: the newest consistent reading of the chain. May raise NotAvailable or ChainError; requests then wait.
        last_reading: the newest there is, however old, and when it was read; for what sells nothing. None: the market's own.
        channels: what is sold, as the providers file and the operator's settings make it.
        providers: by their names, as models name them; ``job_providers`` likewise, for what takes them minutes.
        gateway: the cold identity that vouchers name.
        settler: signs receipts. ``former_settlers`` sign the receipts that name them.
        exit_delay, settlement_interval: seconds.
        operator_key_hash: SHA-256 of the operator's key.
        clock: aware UTC.
        reconcile: what the operator sees of the last reconciliation, as JSON values.
        leaders: the process that leads each job.
        alarms: what stands out of order here, and the halts of every process.
        process: this one's name among them.
        mark: the eight hex digits that the ids of this process's requests begin with.
        ends: the random part of those ids.
        runs: whether the process that answers a request still does, as far as that can be known. Asks the database.
        credentials, tariffs, calendar: what was found out before and need not be found out again.
        routes: how routes have answered, and which one each session used.
        public: what everyone may see of the chain; None where none is open to this process.
        relay: what holders' own wallets hold, and who sends what they sign; None where no chain is open to this process.
        public_url: where holders reach the wallet, without a path; None: at this machine's loopback names.
        proxies: who is believed about whom a call came from.
        dev_holder: on a local chain alone.
        standings: what the gateway sells of itself, and who has bought it.
        desk: what takes top-up orders; None where none is taken.
    """

    ledger: Ledger
    market: Callable[[], Market]
    channels: ChannelBoard
    providers: Mapping[str, Provider]
    domain: EscrowDomain
    gateway: Address
    settler: PrivateKey
    former_settlers: tuple[PrivateKey, ...] = ()
    exit_delay: int
    settlement_interval: int
    operator_key_hash: bytes
    clock: Callable[[], datetime]
    freshness: FreshnessLimits = FreshnessLimits()
    limits: GatewayLimits = GatewayLimits()
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    reconcile: Callable[[], Mapping[str, Any]] | None = None
    leaders: Callable[[], Mapping[str, str]] = dict
    alarms: Callable[[], Sequence[StandingAlarm]] = tuple
    last_reading: Callable[[], tuple[Market, datetime]] | None = None
    process: str = ""
    mark: str = field(default_factory=lambda: secrets.token_hex(MARK_BYTES))
    ends: RandomEnds = field(default_factory=RandomEnds)
    runs: Callable[[RequestId], bool] = lambda _request: True
    credentials: KnownCredentials = field(default_factory=KnownCredentials)
    tariffs: Tariffs = field(default_factory=Tariffs)
    routes: Routes = field(default_factory=Routes)
    job_providers: Mapping[str, JobProvider] = field(default_factory=dict)
    public: PublicChain | None = None
    relay: Relay | None = None
    calendar: Calendar = field(default_factory=Calendar)
    public_url: str | None = None
    proxies: TrustedProxies = TrustedProxies()
    dev_holder: DevHolder | None = None
    standings: Standings = field(default_factory=Standings)

    @property
    def models(self) -> Mapping[str, Model]:
        """What is for sale now, by id."""
        return self.channels.models

    desk: OrderDesk | None = None

    @property
    def longest_hold(self) -> int:
        """Seconds that all calls of one request may take: its hold ends before an exit can."""
        return self.exit_delay - self.settlement_interval - self.limits.grace_seconds

    def new_request_id(self) -> RequestId:
        """Those of one process sort by the time they were made: the ledger's indexes grow at their ends, however long
        they are.
        """
        milliseconds = int(self.clock().timestamp() * 1_000)
        time = milliseconds.to_bytes(_TIME_BYTES).hex()
        return RequestId(f"req_{self.mark}{time}{self.ends.next()}")

    def reading(self) -> tuple[Market, datetime]:
        """To show by, never to sell by. Raises NotAvailable before the first one."""
        return (self.market(), self.clock()) if self.last_reading is None else self.last_reading()

    def chain_now(self, market: Market) -> UnixSeconds:
        """The later of the chain's time and ours: a chain that stands still must not keep a price or voucher fresh."""
        return UnixSeconds(max(market.block_time, int(self.clock().timestamp())))
