"""Puts a gateway together: chain, ledger, providers, application and jobs."""

import hashlib
import math
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from mintery.bootstrap.connections import DEFAULT_BOUNDS, ConnectionBounds
from mintery.bootstrap.opening import (
    former_settler_keys,
    gateway_address,
    open_gateway_leadership,
    open_gateway_ledger,
    open_on_chain,
    presence_of,
    process_name,
    relayer_key,
    report_sender_key,
    settler_key,
    utc_now,
)
from mintery.bootstrap.orders import build_desk
from mintery.bootstrap.reporting import build_reporters
from mintery.bootstrap.roles import dev_role
from mintery.bootstrap.serving import GatewayServer
from mintery.crypto.keys import PrivateKey
from mintery.domain.membership import Offers
from mintery.domain.peer import ForwardedHeader, TrustedProxies
from mintery.domain.price import FreshnessLimits
from mintery.domain.voucher import Address
from mintery.errors import SettingMissing, SettingRefused
from mintery.gateway.app import create_app
from mintery.jobs.scheduler import Jobs
from mintery.jobs.works import Intervals, JobParts, works_of
from mintery.ledger.store import LedgerStore
from mintery.providers.config import ProviderConfig, models_of, read_offers, read_providers
from mintery.providers.long_jobs import open_long_jobs
from mintery.providers.openai_compatible import OpenAICompatible
from mintery.settings import Settings, environment, variable
from mintery.units import parse_ether, parse_gwei, pro_rata_down
from mintery.usecases.alarms import Alarms, HaltBook
from mintery.usecases.channel_board import ChannelBoard, ListedModels
from mintery.usecases.follow_long_jobs import Follower, FollowMeters
from mintery.usecases.onchain import OnChain
from mintery.usecases.parts import MARK_BYTES, DevHolder, GatewayLimits, GatewayParts, mark_of
from mintery.usecases.public_chain import PublicChain
from mintery.usecases.reconcile import Reconciler
from mintery.usecases.refresh_market import MarketBoard
from mintery.usecases.relay import Relay
from mintery.usecases.relay_bounds import RelayBounds
from mintery.usecases.report_prices import Reporter
from mintery.usecases.settle_batch import Settlement
from mintery.usecases.settle_until_final import SettledAll, settle_until_final
from mintery.usecases.standings import Standings
from mintery.usecases.sync_chain import Synced, sync_chain

OPERATOR_KEY_BYTES = 24


@dataclass(slots=True)
class Gateway:
    """A gateway that is put together but neither served nor running its jobs. ``close`` ends all of it."""

    chain: OnChain
    ledger: LedgerStore
    address: Address
    settler: PrivateKey
    operator_key: str
    dev_key: str | None
    alarms: Alarms
    board: MarketBoard
    reconciler: Reconciler
    settlement: Settlement
    parts: GatewayParts
    app: FastAPI
    jobs: Jobs
    reporters: tuple[Reporter, ...]
    bounds: ConnectionBounds = DEFAULT_BOUNDS
    server: GatewayServer | None = None

    def sync(self) -> Synced:
        """Bring the ledger up to the chain now."""
        through = self.board.refresh().block_number
        return sync_chain(self.chain, self.ledger, self.address, self.alarms, utc_now(), through=through)

    def settle(self) -> SettledAll:
        """Settle everything that is owed, and wait until it is final."""
        return settle_until_final(self.settlement, self.sync, utc_now)

    def serve(self, host: str, port: int, *, listeners: Sequence[socket.socket] = ()) -> str:
        """Begin to answer, on ``listeners`` where a supervisor has bound them; where. Raises PortTaken."""
        seconds = self.parts.limits.drain_seconds
        self.server = GatewayServer(
            self.app, host, port, drain_seconds=seconds, listeners=listeners, bounds=self.bounds
        )
        return self.server.url

    def close(self) -> None:
        """No new requests, then no more jobs, then the ledger."""
        if self.server is not None:
            self.server.close()
        self.jobs.stop()
        self.ledger.close()


def build_gateway(
    settings: Settings,
    *,
    chain: OnChain | None = None,
    providers: Sequence[ProviderConfig] | None = None,
    offers: Offers | None = None,
) -> Gateway:
    """Everything that ``settings`` name; ``chain``, ``providers`` and ``offers`` stand in for what they name of those.

    Raises:
        ConfigurationError, RpcUnavailable
    """
    opened = chain or open_on_chain(settings)
    local = opened.rpc.is_local
    address, settler = gateway_address(settings, local=local), settler_key(settings, local=local)
    configs = _providers(settings) if providers is None else providers
    offers = _offers(settings) if offers is None else offers
    sender = report_sender_key(settings, local=local)
    exit_delay = _exit_delay(settings, opened)

    ledger = open_gateway_ledger(settings, opened)
    channels = ChannelBoard(models_of(configs), sellers=configs, ledger=ledger)
    channels.refresh()
    reporters = build_reporters(settings, ListedModels(channels), local=local)
    leadership = open_gateway_leadership(settings, opened)
    alarms, registry = Alarms(HaltBook(ledger, utc_now)), CollectorRegistry()
    board = MarketBoard(
        opened,
        address,
        clock=utc_now,
        longest_age=settings.market_longest_age,
        # What began when the ledger last saw the chain is paid an exit delay later.
        longest_behind=pro_rata_down(exit_delay, 1, 2),
    )
    reconciler = Reconciler(opened, ledger, address, alarms)
    settlement = _settlement(settings, opened, ledger, alarms, gateway=address, settler=settler)
    operator_key, mark = _operator_key(settings), secrets.token_hex(MARK_BYTES)
    dev_key = _dev_key(settings) if local else None
    desk = build_desk(settings, opened, ledger, alarms, gateway=address, settler=settler)
    parts = GatewayParts(
        ledger=ledger,
        market=board.newest,
        last_reading=board.last,
        channels=channels,
        providers={config.name: OpenAICompatible(config) for config in configs},
        job_providers=open_long_jobs(configs),
        domain=opened.domain,
        gateway=address,
        settler=settler,
        former_settlers=former_settler_keys(settings),
        exit_delay=exit_delay,
        settlement_interval=math.ceil(settings.settlement_interval),
        operator_key_hash=hashlib.sha256(operator_key.encode()).digest(),
        clock=utc_now,
        freshness=_freshness(settings),
        limits=GatewayLimits(
            body_bytes=settings.max_body_bytes,
            in_flight=settings.max_open_requests,
            in_flight_per_account=min(settings.max_open_requests, settings.max_open_requests_per_account),
            waiting=settings.max_waiting_requests,
            wait_seconds=settings.queue_seconds,
        ),
        registry=registry,
        standings=Standings(offers),
        reconcile=reconciler.as_json,
        leaders=leadership.leaders,
        alarms=alarms.standing,
        process=process_name(),
        mark=mark,
        runs=lambda request: leadership.is_led(presence_of(mark_of(request))),
        public=PublicChain(opened, board.last),
        desk=desk,
        relay=Relay.of(opened, relayer_key(settings, local=local), _relay_bounds(settings, ledger)),
        public_url=settings.public_url,
        proxies=TrustedProxies(settings.trusted_proxies, ForwardedHeader(settings.forwarded_header)),
        dev_holder=None if dev_key is None else _dev_holder(dev_key),
    )
    job_parts = JobParts(
        desk=desk,
        chain=opened,
        ledger=ledger,
        leadership=leadership,
        follower=Follower(partial(open_long_jobs, configs), opened.domain, settler.address, FollowMeters(registry)),
        gateway=address,
        alarms=alarms,
        board=board,
        settlement=settlement,
        reconciler=reconciler,
        reporters=reporters,
        channels=channels,
        tariffs=parts.tariffs,
        freshness=parts.freshness,
        report_sender=None if sender is None else opened.sender(sender),
        intervals=_intervals(settings),
        selling=parts,
    )
    return Gateway(
        chain=opened,
        ledger=ledger,
        address=address,
        settler=settler,
        operator_key=operator_key,
        dev_key=dev_key,
        alarms=alarms,
        board=board,
        reconciler=reconciler,
        settlement=settlement,
        parts=parts,
        app=create_app(parts),
        jobs=Jobs(works_of(job_parts), alarms, registry, utc_now, leadership, presence=presence_of(mark)),
        reporters=reporters,
        bounds=ConnectionBounds(connections=settings.max_connections),
    )


def _providers(settings: Settings) -> tuple[ProviderConfig, ...]:
    if settings.providers is None:
        raise SettingMissing(variable("providers"), "a gateway needs something to sell")
    return read_providers(settings.providers, environment())


def _offers(settings: Settings) -> Offers:
    return Offers() if settings.providers is None else read_offers(settings.providers)


def _operator_key(settings: Settings) -> str:
    """Where none is set, one that nobody outside this process knows: what is the operator's stays closed."""
    if settings.operator_key is None:
        return secrets.token_urlsafe(OPERATOR_KEY_BYTES)
    return settings.operator_key.get_secret_value()


def _dev_key(settings: Settings) -> str:
    return (
        secrets.token_urlsafe(OPERATOR_KEY_BYTES) if settings.dev_key is None else settings.dev_key.get_secret_value()
    )


def _dev_holder(dev_key: str) -> DevHolder:
    return DevHolder(dev_role("holder", local=True), hashlib.sha256(dev_key.encode()).digest())


def _exit_delay(settings: Settings, chain: OnChain) -> int:
    """Raises SettingRefused unless at least two settlements fit into an exit's delay."""
    delay = chain.escrow.exit_delay()
    if 2 * settings.settlement_interval > delay:
        raise SettingRefused(variable("settlement_interval"), f"at most half the chain's exit delay of {delay} s")
    return delay


def _freshness(settings: Settings) -> FreshnessLimits:
    heartbeat = settings.price_heartbeat
    return FreshnessLimits(heartbeat=heartbeat, soft=2 * heartbeat, hard=6 * heartbeat)


def _intervals(settings: Settings) -> Intervals:
    return Intervals(
        sync=settings.sync_interval,
        market=settings.market_interval,
        settlement=settings.settlement_interval,
        price=settings.price_interval,
        heartbeat=settings.price_heartbeat,
        expiry=settings.expiry_interval,
        reconcile=settings.reconcile_interval,
        orders=settings.orders_interval,
        reserve=settings.reserve_interval,
    )


def _relay_bounds(settings: Settings, ledger: LedgerStore) -> RelayBounds:
    return RelayBounds(
        ledger,
        utc_now,
        a_day=settings.relay_moves_a_day,
        wei_a_day=parse_ether(format(settings.relay_ether_a_day, "f")),
        max_fee=parse_gwei(format(settings.max_fee_gwei, "f")),
    )


def _settlement(
    settings: Settings, chain: OnChain, ledger: LedgerStore, alarms: Alarms, *, gateway: Address, settler: PrivateKey
) -> Settlement:
    return Settlement(
        chain=chain,
        ledger=ledger,
        settler=chain.sender(settler),
        gateway=gateway,
        alarms=alarms,
        max_lines=settings.max_batch_lines,
        max_receipts=settings.max_batch_receipts,
        bump_after=settings.bump_after,
        max_fee=parse_gwei(format(settings.max_fee_gwei, "f")),
        gas_percent=settings.max_batch_gas_percent,
        max_open=settings.max_open_batches,
    )
