"""A whole Mintery in this process, for demos, tests and a first look: dev chain, deployment, stub provider, gateway, jobs.

Keys are the well-known development ones and the provider is a stub that makes its answers up: everything here is TEST.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from mintery.bootstrap.demo_offers import MEMBERS_MODEL, MEMBERSHIP, demo_offers
from mintery.bootstrap.gateway import Gateway, build_gateway
from mintery.bootstrap.opening import utc_now
from mintery.bootstrap.price_sources import with_local_prices
from mintery.bootstrap.roles import REPORTERS, dev_role
from mintery.chain.deploy import deploy
from mintery.chain.deployment import deployment_path
from mintery.chain.devchain.chain import DevChain
from mintery.chain.devchain.server import RpcServer
from mintery.chain.roles import LOCAL_EPOCH, LOCAL_QUEUE_DELAY, DeployConfig, NewProvider, appoint_settlers
from mintery.chain.rpc import Rpc, connect
from mintery.chain.test_dollar import TestDollar
from mintery.crypto.keys import PrivateKey
from mintery.domain.membership import Offers
from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.voucher import Address, Kind
from mintery.errors import ConfigurationError, TransactionMissing
from mintery.providers.config import ProviderConfig
from mintery.providers.stub import Stub, run_stub
from mintery.serving.threaded import bind
from mintery.settings import Settings
from mintery.units import AssetUnits, parse_assets
from mintery.usecases.onchain import OnChain
from mintery.usecases.report_prices import report_prices

PROVIDER = "test"
PROVIDER_ID = 1
TEST_DOLLARS = parse_assets("1000000")
FUNDED = ("issuer", "holder", "friend", "relayer")
_PRICE_SECONDS = 30
FILM_SECONDS = 600
"""The longest that a video of the stub's may take."""

Providers = tuple[ProviderConfig, ...]
OnStep = Callable[[str], None]
"""Called with a line for people before each step."""


@dataclass(slots=True)
class LocalStack:
    """A running Mintery. ``rpc_url`` serves the chain, ``gateway_url`` the API; ``close`` ends everything."""

    devchain: DevChain
    rpc_server: RpcServer
    stub: Stub
    gateway: Gateway
    rpc_url: str
    gateway_url: str
    directory: Path

    @property
    def chain(self) -> OnChain:
        return self.gateway.chain

    def key(self, role: str) -> PrivateKey:
        """The key of ``issuer``, ``holder``, ``friend``, ``provider``, … (see ``DEV_ROLES``)."""
        return dev_role(role, local=True)

    def close(self) -> None:
        self.gateway.close()
        self.stub.stop()
        self.rpc_server.close()
        self.devchain.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start_local_stack(
    settings: Settings,
    *,
    on_step: OnStep = lambda _line: None,
    rpc_port: int = 0,
    extra_providers: Providers = (),
    jobs: bool = True,
    memberships: bool = False,
) -> LocalStack:
    """Start everything on 127.0.0.1 and return when requests can be paid.

    ``settings`` name home, ports and intervals; keys are the dev accounts' where they name none. ``extra_providers``
    are sold beside the stub; their names must be registered by their ids from 2 on, and their SKUs priced. ``memberships``: one
    is sold too, with a model that is kept for its members.

    Raises:
        PortTaken, ConfigurationError
    """
    if settings.port:
        # Whether it is free: to find out after half a minute's work that it is not would be a poor welcome.
        bind(settings.host, settings.port).close()
    on_step("start the chain")
    devchain = DevChain()
    stub = None
    rpc_server = None
    try:
        rpc_server = devchain.serve(port=rpc_port)
        stub = run_stub()
        rpc = connect(devchain.provider())
        directory = deployment_path(settings.home, rpc.genesis_hash).parent
        providers = (stub_config(stub.base_url, members=memberships), *extra_providers)
        offers = demo_offers(1 + max(each.registry_id for each in providers)) if memberships else None
        gateway = build_local_gateway(settings, rpc, directory, providers, on_step, offers=offers)
    except BaseException:
        if stub is not None:
            stub.stop()
        if rpc_server is not None:
            rpc_server.close()
        devchain.close()
        raise
    return _run(
        LocalStack(devchain, rpc_server, stub, gateway, rpc_server.url, "", directory), settings, on_step, jobs=jobs
    )


def _run(stack: LocalStack, settings: Settings, on_step: OnStep, *, jobs: bool) -> LocalStack:
    gateway = stack.gateway
    try:
        make_ready(gateway, on_step)
        if jobs:
            gateway.jobs.start()
        on_step("start the gateway")
        stack.gateway_url = gateway.serve(settings.host, settings.port)
    except BaseException:
        stack.close()
        raise
    return stack


def make_ready(gateway: Gateway, on_step: OnStep) -> None:
    """Prices come first: the first ones wait in the oracle's queue, and the rest is done meanwhile."""
    on_step("report the first prices")
    _report(gateway)
    on_step("hand out test dollars")
    fund_roles(gateway.chain)
    on_step("wait for the prices")
    _wait_for_prices(gateway)
    gateway.sync()
    gateway.board.refresh()


def build_local_gateway(
    settings: Settings,
    rpc: Rpc,
    directory: Path,
    providers: Providers,
    on_step: OnStep,
    *,
    offers: Offers | None = None,
) -> Gateway:
    """Deploys what is missing, so it may be called again on the same chain. ``offers``: what the gateway sells of itself."""
    admin = dev_role("admin", local=rpc.is_local)
    path = directory / "deployment.json"
    deployment = deploy(rpc, admin, local_deployment(providers, offers), path, on_step=on_step).deployment
    chain = OnChain.of(rpc, deployment, confirmations=settings.confirmations_on(local=True), finality=settings.finality)

    gateway = build_gateway(with_local_prices(settings, directory), chain=chain, providers=providers, offers=offers)
    on_step("appoint the settler")
    identity = chain.sender(dev_role("gateway", local=True))
    appoint_settlers(chain.escrow, identity, [gateway.settler.address])
    return gateway


def stub_config(base_url: str, *, members: bool = False) -> ProviderConfig:
    """What the stub sells: one model for chats, one for embeddings, one for videos, all TEST; and one for ``members``."""
    chat = (Endpoint.CHAT, Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN)
    kept = (replace(_stub_model(MEMBERS_MODEL, "echo", *chat), needs=MEMBERSHIP),) if members else ()
    return ProviderConfig(
        name=PROVIDER,
        registry_id=PROVIDER_ID,
        kind=Kind.ROUTED,
        base_url=base_url,
        models=(
            _stub_model("chat", "echo", *chat),
            _stub_model("embed", "embed", Endpoint.EMBEDDINGS, Unit.INPUT_TOKEN),
            replace(
                _stub_model("film", "film", Endpoint.VIDEOS, Unit.SECOND), max_seconds=20, job_seconds=FILM_SECONDS
            ),
            *kept,
        ),
    )


def _stub_model(name: str, upstream: str, endpoint: Endpoint, *units: str) -> Model:
    return Model(
        id=f"{PROVIDER}/{name}",
        upstream=upstream,
        provider=PROVIDER,
        provider_id=PROVIDER_ID,
        kind=Kind.ROUTED,
        endpoint=endpoint,
        units=frozenset(units),
        max_output_tokens=256 if endpoint is Endpoint.CHAT else 0,
        context_tokens=8_192,
        test=True,
    )


def local_deployment(providers: Providers, offers: Offers | None = None) -> DeployConfig:
    """Five reporters, quorum three, a queue of 2 s and epochs of 1 s; exits still take an hour."""
    payout, own = dev_role("provider", local=True).address, dev_role("gateway", local=True).address
    offers = offers or Offers()
    sold = (*(model for provider in providers for model in provider.models), *offers.fees)
    registered = {
        each.registry_id: NewProvider(each.name, payout, each.kind, resale_allowed=True) for each in providers
    }
    registered |= {
        each.provider_id: NewProvider(each.name, own, each.kind, resale_allowed=True) for each in offers.sellers
    }
    return DeployConfig(
        reporters=tuple(dev_role(name, local=True).address for name in REPORTERS),
        skus=tuple(str(sku) for model in sold for sku in model.skus),
        providers=tuple(provider for _, provider in sorted(registered.items())),
        queue_delay=LOCAL_QUEUE_DELAY,
        epoch_length=LOCAL_EPOCH,
    )


def fund(chain: OnChain, payer: PrivateKey, accounts: list[Address], assets: AssetUnits = TEST_DOLLARS) -> None:
    """Test dollars for each account.

    Raises:
        ConfigurationError: the deployment's asset is real.
    """
    asset = chain.asset
    if not isinstance(asset, TestDollar):
        raise ConfigurationError("this deployment's asset is no test dollar")
    for account in accounts:
        asset.mint(chain.sender(payer), account, assets)


def fund_roles(chain: OnChain) -> None:
    """Test dollars for the dev accounts that mint; those that have some keep what they have."""
    accounts = [dev_role(role, local=True).address for role in FUNDED]
    without = [account for account in accounts if not chain.asset.balance_of(account)]
    fund(chain, dev_role("admin", local=True), without)


def _report(gateway: Gateway) -> None:
    sender = gateway.chain.sender(dev_role("admin", local=True))
    report_prices(gateway.chain, gateway.reporters, sender, gateway.alarms, now=utc_now(), heartbeat=1)


def _wait_for_prices(gateway: Gateway) -> None:
    """Report until every SKU of ours has a price: the second report confirms the first, when the queue's delay is over."""
    sold = (*gateway.parts.models.values(), *gateway.parts.standings.offers.fees)
    wanted = {str(sku) for model in sold for sku in model.skus}
    until = time.monotonic() + _PRICE_SECONDS
    while True:
        market = gateway.board.refresh()
        if wanted <= {str(sku) for sku in market.prices}:
            return
        if time.monotonic() >= until:
            raise TransactionMissing("of the first prices", _PRICE_SECONDS)
        _report(gateway)
        time.sleep(0.1)
