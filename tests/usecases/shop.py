"""A till over fakes with several routes of one name, each provider of which does as it is told."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from prometheus_client import CollectorRegistry
from tests.fakes.ledger import InMemoryLedger
from tests.fakes.provider import ScriptedProvider
from tests.gateway.rig import (
    CREDIT,
    DOMAIN,
    EXIT_DELAY,
    GATEWAY,
    HOLDER,
    PROVIDER_ID,
    SETTLER,
    TOKEN,
    key_text,
    market,
)

from mintery.crypto.vouchers import account_id
from mintery.domain.market import Market
from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.price import PriceInForce, Sku
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import AccountKey, Kind
from mintery.ledger.commands import AppendBlock, Block, DepositSeen
from mintery.ledger.reads import Ledger
from mintery.providers.config import ProviderConfig
from mintery.units import BasisPoints, NanoCredits, UnixSeconds, UsdWad
from mintery.usecases.attempts import Attempt
from mintery.usecases.channel_board import ChannelBoard
from mintery.usecases.meters import Meters
from mintery.usecases.parts import GatewayParts
from mintery.usecases.pay_for_request import Asked, open_till, pay_for_request
from mintery.usecases.verify_credential import verify_credential

ACCOUNT = AccountKey(TOKEN, GATEWAY, HOLDER.address, HOLDER.address)
UNITS = frozenset({Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN})
MICRO_USD = 10**12


def route(name: str, *, quality: int = 500, kind: Kind = Kind.ROUTED, serves: str = "shared") -> Model:
    return Model(
        f"{name}/m", f"{name}-1", name, PROVIDER_ID, kind, Endpoint.CHAT, UNITS, 1_000, 100_000,
        serves=serves, quality=quality,
    )  # fmt: skip


def seller(name: str, **terms: Any) -> ProviderConfig:
    """The provider of ``NAME/m``, as a providers file would have it."""
    config = {"registry_id": PROVIDER_ID, "kind": Kind.ROUTED, "base_url": "http://127.0.0.1:9/v1", "models": ()}
    return ProviderConfig(name, **(config | terms))


def prices_of(models: dict[str, Model], usd: dict[str, tuple[int, int]]) -> dict[Sku, PriceInForce]:
    """``usd`` by provider: of an input and of an output token, in 1e-12 USD; as the market's newest version 1."""
    skus = [(each, unit) for each in models.values() for unit in sorted(UNITS)]
    now = UnixSeconds(int(time.time()))
    return {
        each.sku(unit): PriceInForce(
            each.sku(unit), index, 1, UsdWad(usd[each.provider][unit == Unit.OUTPUT_TOKEN] * 10**6), now, False
        )
        for index, (each, unit) in enumerate(skus)
    }


def fund(ledger: Ledger, credits_: int = 100) -> None:
    """A deposit in a ledger that the chain would fill."""
    deposit = DepositSeen(account_id(ACCOUNT), ACCOUNT, NanoCredits(credits_ * CREDIT))
    ledger.commit([AppendBlock(Block(1, f"0x{1:064x}", f"0x{0:064x}", UnixSeconds(1)), ((0, deposit),))])


@dataclass
class Shop:
    """Routes ``a/m``, ``b/m`` and ``c/m`` share a name, and rank so. ``market``, ``now`` and the providers may be turned."""

    ledger: Ledger = field(default_factory=InMemoryLedger)
    usd: dict[str, tuple[int, int]] = field(
        default_factory=lambda: {"a": (1_000_000, 2_000_000), "b": (1_100_000, 2_000_000), "c": (5_000_000, 9_000_000)}
    )
    markup: int = 0
    credits_: int = 100

    def __post_init__(self) -> None:
        if isinstance(self.ledger, InMemoryLedger):
            self.ledger.deposit(ACCOUNT, self.credits_ * CREDIT)
        self.models = {each.id: each for each in map(route, self.usd)}
        self.providers = {name: ScriptedProvider(name=name) for name in self.usd}
        self.now = datetime.now(UTC)
        self.set_market()
        self.read: Callable[[], Market] = lambda: self.market
        self.parts = GatewayParts(
            ledger=self.ledger,
            market=lambda: self.read(),  # noqa: PLW0108 -- it may be replaced
            channels=ChannelBoard(self.models, sellers=map(seller, self.usd), ledger=self.ledger),
            providers=self.providers,
            domain=DOMAIN,
            gateway=GATEWAY,
            settler=SETTLER,
            exit_delay=EXIT_DELAY,
            settlement_interval=60,
            operator_key_hash=b"",
            clock=lambda: self.now,
        )
        self.till = open_till(self.parts, Meters(CollectorRegistry()))

    def set_market(self) -> None:
        read = market(int(time.time()))
        projects = {
            token: replace(project, markup=BasisPoints(self.markup)) for token, project in read.projects.items()
        }
        self.market = replace(read, projects=projects, prices=prices_of(self.models, self.usd))

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def pay(self, model: str = "shared", *, header: str | None = None, **fields: object) -> Attempt:
        credential = verify_credential(self.parts, self.market, key_text(), None)
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50, **fields}
        asked = Asked(Endpoint.CHAT, "/v1/chat/completions", orjson.dumps(body), session=header)
        return await pay_for_request(self.till, self.market, credential, asked)

    async def answered(self, model: str = "shared", **fields: object) -> str:
        """The route that delivered."""
        return (await self.receipt(model, **fields)).model

    async def receipt(self, model: str = "shared", **fields: object) -> Receipt:
        attempt = await self.pay(model, **fields)
        await attempt.whole()
        if attempt.error is not None:
            raise attempt.error
        record = self.ledger.receipt(attempt.request)
        assert record is not None
        return record.receipt

    def asked(self) -> list[str]:
        """Providers that were called, and forget it."""
        called = [name for name, provider in self.providers.items() for _ in provider.asked]
        for provider in self.providers.values():
            provider.asked.clear()
        return called

    @property
    def balance(self) -> tuple[int, int, int]:
        """Available, held and captured nanocredits."""
        balance = self.ledger.account(account_id(ACCOUNT))
        assert balance is not None
        return balance.available, balance.held, balance.captured
