"""A whole gateway on a free port of 127.0.0.1, with a stub provider behind it and a market that tests turn."""

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import httpx2
import openai
import uvicorn
from fastapi import FastAPI

from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import account_id, encode_key, encode_raised, key_hash, sign_voucher
from mintery.domain.market import Market, PayoutWindow
from mintery.domain.membership import Offers
from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.price import PriceInForce, Sku
from mintery.domain.project import Project
from mintery.domain.voucher import AccountKey, Address, EscrowDomain, Kind, Voucher, VoucherKey
from mintery.errors import MarketUnread
from mintery.gateway.app import create_app
from mintery.ledger.commands import AppendBlock, Block, DepositSeen, ExitExecutedSeen, ExitStartedSeen
from mintery.ledger.opening import LedgerIdentity
from mintery.ledger.reads import AccountBalance, Ledger
from mintery.providers.config import ProviderConfig
from mintery.providers.long_jobs import open_long_jobs
from mintery.providers.openai_compatible import OpenAICompatible
from mintery.providers.stub import Stub, run_stub
from mintery.providers.stub_answers import Behaviour
from mintery.units import AssetUnits, BasisPoints, CreditUnits, NanoCredits, Par, UnixSeconds, UsdWad, credit_units
from mintery.usecases.channel_board import ChannelBoard
from mintery.usecases.order_desk import OrderDesk
from mintery.usecases.parts import GatewayLimits, GatewayParts
from mintery.usecases.public_chain import PublicChain
from mintery.usecases.standings import Standings


def private_key(number: int) -> PrivateKey:
    return PrivateKey.from_bytes(number.to_bytes(32))


TOKEN = private_key(101).address
OTHER_TOKEN = private_key(102).address
GATEWAY = private_key(103).address
ESCROW = private_key(104).address
SETTLER = private_key(105)
HOLDER = private_key(106)
DOMAIN = EscrowDomain(1337, ESCROW)
IDENTITY = LedgerIdentity(1337, "0x" + "ab" * 32, ESCROW)
SECRET = b"\x07" * 32
OPERATOR = "operator-key-of-the-tests"
EXIT_DELAY = 3_600
CREDIT = 10**9
INPUT_USD = 10**12
OUTPUT_USD = 3 * 10**12
PROVIDER_ID = 7
CHAT_UNITS = frozenset({Unit.INPUT_TOKEN, Unit.CACHED_INPUT_TOKEN, Unit.OUTPUT_TOKEN})


def model(name: str, endpoint: Endpoint = Endpoint.CHAT) -> Model:
    units = CHAT_UNITS if endpoint is Endpoint.CHAT else frozenset({Unit.INPUT_TOKEN})
    return Model(f"test/{name}", name, "test", PROVIDER_ID, Kind.ROUTED, endpoint, units, 1_000, 100_000, test=True)


def modalities() -> tuple[Model, ...]:
    """A model of each kind that makes or takes something else than text."""
    whole = replace(model("echo"), id="test/see", image_tokens=800, also=frozenset({Endpoint.RESPONSES}))
    paint = {"image.1024x1024-low", "image.1024x1024-high", "image.512x512-low"}
    return (
        whole,
        replace(whole, id="test/breaks", upstream="dies-midstream"),
        replace(model("paint", Endpoint.IMAGES), units=frozenset(paint), max_output_tokens=0),
        replace(model("speak", Endpoint.SPEECH), units=frozenset({Unit.CHARACTER})),
        replace(model("listen", Endpoint.TRANSCRIPTION), units=frozenset({Unit.SECOND}), max_seconds=1_500),
        replace(model("judge", Endpoint.MODERATION), units=frozenset({Unit.REQUEST})),
    )


MODELS = {
    each.id: each
    for each in (
        *(model(behaviour.value) for behaviour in Behaviour),
        model("embed", Endpoint.EMBEDDINGS),
        *modalities(),
        model("unpriced"),
        replace(model("official"), kind=Kind.OFFICIAL),
        replace(model("elsewhere"), provider_id=8),
    )
}


def prices(now: int, models: Mapping[str, Model]) -> dict[Sku, PriceInForce]:
    usd = {
        Unit.INPUT_TOKEN: INPUT_USD,
        Unit.CACHED_INPUT_TOKEN: INPUT_USD // 2,
        Unit.OUTPUT_TOKEN: OUTPUT_USD,
        Unit.CHARACTER: 15 * 10**12,
        Unit.SECOND: 10**14,
        Unit.REQUEST: 10**15,
        "image.1024x1024-low": 11 * 10**15,
        "image.1024x1024-high": 167 * 10**15,
        "image.512x512-low": 4 * 10**15,
        "second.1280x720": 10**17,
        "second.1792x1024": 5 * 10**17,
    }
    skus = [each.sku(unit) for each in models.values() if each.id != "test/unpriced" for unit in sorted(each.units)]
    return {
        sku: PriceInForce(sku, index, 1, UsdWad(usd[sku.unit]), UnixSeconds(now), False)
        for index, sku in enumerate(skus)
    }


def market(now: int, models: Mapping[str, Model] = MODELS) -> Market:
    def project(token: Address, symbol: str) -> Project:
        return Project(
            token, symbol, symbol, HOLDER.address, Par(10**6), BasisPoints(0), Kind.ROUTED, frozenset({PROVIDER_ID})
        )

    return Market(
        block_number=5,
        block_hash="0x" + "cd" * 32,
        block_time=UnixSeconds(now),
        projects={TOKEN: project(TOKEN, "PROJECTX_AI_CREDITS"), OTHER_TOKEN: project(OTHER_TOKEN, "OTHER")},
        prices=prices(now, models),
        payouts={token: PayoutWindow(AssetUnits(10**12), UnixSeconds(now + 900)) for token in (TOKEN, OTHER_TOKEN)},
        inactive_providers=frozenset(),
        depegged=False,
        assets=AssetUnits(10**12),
        claims=AssetUnits(10**12),
        paused_until=UnixSeconds(0),
    )


def voucher(
    *,
    credits_: float = 100,
    token: Address = TOKEN,
    gateway: Address = GATEWAY,
    signer: PrivateKey = HOLDER,
    epoch: int = 0,
    max_spend: int | None = None,
    deadline: int | None = None,
    domain: EscrowDomain = DOMAIN,
    secret: bytes = SECRET,
) -> VoucherKey:
    """A key of ``signer``'s own account, good for a day unless told otherwise. ``max_spend`` in nanocredits."""
    amount = NanoCredits(max_spend if max_spend is not None else int(credits_ * CREDIT))
    fields = Voucher(
        token=token,
        gateway=gateway,
        holder=signer.address,
        epoch=epoch,
        max_spend=CreditUnits(credit_units(amount)),
        deadline=UnixSeconds(deadline or int(time.time()) + 86_400),
        key_hash=key_hash(secret),
    )
    return VoucherKey(sign_voucher(fields, domain, signer), secret)


def key_text(**fields: object) -> str:
    return encode_key(voucher(**fields))  # type: ignore[arg-type]  # the keywords of voucher()


def raised_text(**fields: object) -> str:
    return encode_raised(voucher(**fields).signed)  # type: ignore[arg-type]  # the keywords of voucher()


@dataclass
class Rig:
    """The running gateway as tests see it. ``market`` may be replaced at any time."""

    ledger: Ledger
    stub: Stub
    parts: GatewayParts
    base_url: str
    market: Market
    age: timedelta = timedelta(0)
    """Of the last reading: older than a minute, and nothing is sold by it."""
    account: AccountKey = field(default_factory=lambda: AccountKey(TOKEN, GATEWAY, HOLDER.address, HOLDER.address))
    blocks: int = 0
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=60, verify=False, limits=httpx2.Limits()))
    opened: ExitStack = field(default_factory=ExitStack)
    app: FastAPI = field(default_factory=FastAPI)
    configs: Sequence[ProviderConfig] = ()

    def fund(self, credits_: float = 100, *, signer: PrivateKey = HOLDER, token: Address = TOKEN) -> None:
        key = AccountKey(token, GATEWAY, signer.address, signer.address)
        amount = int(credits_ * CREDIT)
        self._append(DepositSeen(account_id(key), key, NanoCredits(amount)))

    def newest(self) -> Market:
        if self.age > timedelta(minutes=1):
            raise MarketUnread(int(self.age.total_seconds()), 60)
        return self.market

    def start_exit(self, credits_: float) -> None:
        account, amount = account_id(self.account), NanoCredits(int(credits_ * CREDIT))
        self._append(ExitStartedSeen(account, amount, UnixSeconds(int(time.time()) + EXIT_DELAY), closing=False))

    def close_account(self) -> None:
        """Everything goes to the holder's wallet, and the epoch ends."""
        own = self.balance
        self._append(ExitStartedSeen(own.id, own.available, UnixSeconds(int(time.time())), closing=True))
        self._append(ExitExecutedSeen(own.id, own.available, own.epoch + 1))

    def _append(self, event: DepositSeen | ExitStartedSeen | ExitExecutedSeen) -> None:
        self.blocks += 1
        block = Block(self.blocks, f"0x{self.blocks:064x}", f"0x{self.blocks - 1:064x}", UnixSeconds(self.blocks))
        self.ledger.commit([AppendBlock(block, ((0, event),))])

    @property
    def balance(self) -> AccountBalance:
        balance = self.ledger.account(account_id(self.account))
        assert balance is not None
        return balance

    def untouched(self, credits_: float = 100) -> bool:
        """No credit moved and nothing is held."""
        balance = self.balance
        return (balance.available, balance.held, balance.captured) == (int(credits_ * CREDIT), 0, 0)

    def client(self, key: str | None = None, **options: object) -> openai.OpenAI:
        """A stock client, closed when the rig is."""
        stock = openai.OpenAI(base_url=self.base_url + "/v1", api_key=key or key_text(), **options)  # type: ignore[arg-type]  # the client's own keywords
        return self.opened.enter_context(stock)

    def async_client(self, key: str | None = None, **options: object) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=self.base_url + "/v1", api_key=key or key_text(), **options)  # type: ignore[arg-type]  # the client's own keywords

    def post(self, path: str, *, key: str | None = None, **options: object) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {key or key_text()}", **options.pop("headers", {})}  # type: ignore[dict-item]  # headers are a dict
        return self.http.post(self.base_url + path, headers=headers, **options)  # type: ignore[arg-type]  # httpx2's own keywords

    def get(self, path: str, *, key: str | None = None, **options: object) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {key or key_text()}"}
        return self.http.get(self.base_url + path, headers=headers, **options)  # type: ignore[arg-type]  # httpx2's own keywords

    def chat(
        self,
        model_: str = "test/echo",
        text: str = "hello there",
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        **fields: object,
    ) -> httpx2.Response:
        body = {"model": model_, "messages": [{"role": "user", "content": text}], "max_tokens": 50, **fields}
        return self.post("/v1/chat/completions", key=key, json=body, headers=headers or {})

    def operator(self, method: str, path: str) -> httpx2.Response:
        return self.http.request(method, self.base_url + path, headers={"Authorization": f"Bearer {OPERATOR}"})

    def settled(self, condition: Callable[[], bool], seconds: float = 60) -> bool:
        """Whether ``condition`` comes true in time: for what happens after the answer has left."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True


@contextmanager
def rig(
    ledger: Ledger,
    *,
    limits: GatewayLimits | None = None,
    upstream: str | None = None,
    first_byte: float = 2,
    idle: float = 1,
    wire: str = "openai",
    max_answer_bytes: int = 16 * 1024 * 1024,
    extra: Sequence[Model] = (),
    offers: Offers | None = None,
    beside: Callable[[ProviderConfig], Sequence[ProviderConfig]] = lambda _config: (),
    desk: OrderDesk | None = None,
    public: PublicChain | None = None,
) -> Iterator[Rig]:
    """Start everything; stop it at the end, answers first. ``upstream`` replaces the stub's address; ``extra`` models are sold
    beside the others, and ``offers`` of the gateway itself. ``beside`` makes further providers of the first one.
    """
    models = MODELS | {each.id: each for each in extra}
    stub = run_stub()
    config = ProviderConfig(
        name="test",
        registry_id=PROVIDER_ID,
        kind=Kind.ROUTED,
        base_url=upstream or stub.base_url,
        models=tuple(models.values()),
        api_key="sk-upstream-1234",
        connect_seconds=1,
        first_byte_seconds=first_byte,
        idle_seconds=idle,
        total_seconds=20,
        wire=wire,
        max_answer_bytes=max_answer_bytes,
    )
    configs = (config, *beside(config))
    held: list[Rig] = []
    parts = GatewayParts(
        ledger=ledger,
        market=lambda: held[0].newest(),  # noqa: PLW0108 -- there is none yet
        last_reading=lambda: (held[0].market, datetime.now(UTC) - held[0].age),
        channels=ChannelBoard(models, sellers=configs, ledger=ledger),
        providers={each.name: OpenAICompatible(each) for each in configs},
        job_providers=open_long_jobs(configs),
        domain=DOMAIN,
        gateway=GATEWAY,
        settler=SETTLER,
        exit_delay=EXIT_DELAY,
        settlement_interval=60,
        operator_key_hash=hashlib.sha256(OPERATOR.encode()).digest(),
        clock=lambda: datetime.now(UTC),
        limits=limits or GatewayLimits(),
        standings=Standings(offers),
        desk=desk,
        public=public,
    )
    app = create_app(parts)
    try:
        with _serve(app) as base_url:
            rig = Rig(ledger, stub, parts, base_url, market(int(time.time())), configs=configs, app=app)
            held.append(rig)
            with rig.opened, rig.http:
                yield rig
    finally:
        stub.stop()


@contextmanager
def _serve(app: FastAPI) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, proxy_headers=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < until
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()
