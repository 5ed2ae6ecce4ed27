"""The only reader of the environment: ``MINTERY_…`` variables, and ``SOLC`` as every Solidity tool names it."""

import os
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mintery.errors import SettingMissing, SettingRefused

PREFIX = "MINTERY_"
LOCAL_CONFIRMATIONS = 0
CONFIRMATIONS = 12


def _comma_separated(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _origin(url: str) -> str:
    """``https://host[:port]``; plain http would show the sign-in to everybody on the way."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.netloc or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        raise ValueError("must be https://host, without a path")
    return f"https://{parts.netloc.lower()}"


def _proxies(text: Any) -> IPv4Network | IPv6Network:
    """A network of the operator's own: every caller would be believed about itself in one that holds all addresses."""
    network = ip_network(text)
    if network.prefixlen == 0:
        raise ValueError("must not be every address there is")
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise ValueError("must be written as IPv4, like 10.0.0.0/8")
    return network


SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_comma_separated)]
PathList = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_comma_separated)]
TextList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_proxies)]
NetworkList = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_comma_separated)]

TextOfPath = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, Path) else value)]


class Settings(BaseSettings):
    """Every setting, each as ``MINTERY_`` and its name in capitals. Lists are separated by commas; times are seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, populate_by_name=True)

    home: Path = Field(
        default_factory=lambda: Path.home() / ".mintery",
        description="Directory for deployments and ledgers, one directory for each genesis hash.",
    )
    rpc_url: str = Field(
        "http://127.0.0.1:8545",
        description="JSON-RPC endpoint of the chain, or several of them: they check each other, and stand in for each other.",
    )
    rpc_quorum: int | None = Field(
        None,
        ge=1,
        description="How many of several endpoints must say the same of events, balances and blocks, none objecting. "
        "Default: half of them, rounded up, so 2 of 3.",
    )
    rpc_timeout: float = Field(10.0, gt=0, description="Longest wait for one answer of an endpoint.")
    deployment: Path | None = Field(
        None,
        description="Deployment file; one that belongs to another chain is refused. Default: the chain's, in home.",
    )
    ledger: TextOfPath | None = Field(
        None,
        description="SQLite file, or postgresql://user:password@host/database; one that belongs to another chain is "
        "refused. Default: the chain's own file, in home.",
    )
    solc: Path | None = Field(
        None,
        validation_alias=AliasChoices("SOLC", "solc"),
        description="Solidity compiler, 0.8.30 or newer. Read from SOLC, without the prefix.",
    )

    gateway_address: str | None = Field(
        None, description="The gateway's cold identity, which vouchers name. Default: the address of gateway_key."
    )
    gateway_key: SecretStr | None = Field(
        None, description="Private key of the gateway's identity; needed only to appoint and revoke settlers."
    )
    settler_key: SecretStr | None = Field(
        None, description="Private key of the settler: signs receipts and sends settlement transactions."
    )
    settler_keystore: Path | None = Field(None, description="Keystore (version 3) of the settler, instead of its key.")
    settler_password: SecretStr | None = Field(None, description="Opens settler_keystore.")
    former_settler_keys: SecretList = Field(
        (),
        description="Private keys of settlers before this one: they sign the receipts that name them, and send nothing.",
    )
    reporter_keys: SecretList = Field((), description="Private keys of the price reporters that run here.")
    reporter_peers: TextList = Field(
        (),
        description="The other reporters, for one that runs alone (`mintery reporter`), each as its address and where it "
        "shows its report: 0xADDRESS=https://host/v1/price-report.",
    )
    relayer_key: SecretStr | None = Field(
        None,
        description="Private key that pays the gas of what holders sign on the wallet's pages. Default: none, and a dev account's "
        "on a local chain.",
    )
    relay_ether_a_day: Decimal = Field(
        Decimal("0.25"),
        gt=0,
        max_digits=27,
        decimal_places=18,
        description="Most that relayer_key pays in a day (UTC) for what holders sign, in ether. Above it they are told to wait.",
    )
    relay_moves_a_day: int = Field(
        100,
        ge=1,
        le=1_000_000,
        description="Most that relayer_key carries out of what one holder signs, in a day (UTC).",
    )
    treasury_key: SecretStr | None = Field(
        None,
        description="Private key of the operator's own asset, which pays the reserve for what came by card or bank, and of the gas "
        "of top-ups. Default: relayer_key.",
    )
    stripe_key: SecretStr | None = Field(None, description="Secret key of the Stripe account that takes cards.")
    stripe_webhook_secret: SecretStr | None = Field(
        None, description="What Stripe signs its webhooks with (whsec_…), for https://…/v1/webhooks/stripe."
    )
    stripe_url: str | None = Field(None, description="Another address of Stripe's API than its own.")
    card_daily_cap: Decimal = Field(
        Decimal(10_000),
        gt=0,
        max_digits=15,
        decimal_places=2,
        description="Most dollars that become credits from cards within 24 hours, of all holders: what stolen cards can cost before "
        "anybody notices. What is paid above it waits.",
    )
    card_daily_cap_per_holder: Decimal = Field(
        Decimal(500),
        gt=0,
        max_digits=15,
        decimal_places=2,
        description="Of these, how many one holder may order. More is refused before the card is charged.",
    )
    card_hold_seconds: int = Field(
        0,
        ge=0,
        description="How long a payment by card lies before credits are created for it: what is disputed until then costs nothing.",
    )
    bank_details: str | None = Field(
        None, description="What a person needs to send a bank transfer, as shown with an order. None: none is taken."
    )
    sender_key: SecretStr | None = Field(
        None, description="Private key that acts for an issuer or a holder in the command line and the scripts."
    )
    operator_key: SecretStr | None = Field(
        None, description="What the gateway's operator sends as a bearer token to what only the operator may do."
    )

    providers: Path | None = Field(
        None,
        description="Providers and models that the gateway sells; a reporter reads the models' names, tiers and windows in it, again "
        "whenever it changes.",
    )
    price_files: PathList = Field((), description="Operator price files, most trusted first.")
    price_signers: TextList = Field(
        (), description="Addresses whose signature a price file must carry; none: plain files are believed."
    )
    price_urls: TextList = Field(
        (),
        description="Providers that tell prices at their own /v1/models in OpenRouter's form, each as "
        "name=https://…/v1/models.",
    )
    litellm_prices: Path | None = Field(None, description="LiteLLM's price file, as a price source.")
    litellm_longest_days: int = Field(
        30, gt=0, description="LiteLLM's price file is believed for so long after it was last written."
    )
    genai_prices: bool = Field(True, description="Whether the genai-prices package is a price source.")

    host: str = Field("127.0.0.1", description="Where the gateway listens.")
    port: int = Field(8787, ge=0, le=65_535, description="Where the gateway listens; 0 takes any free port.")

    public_url: Annotated[str, AfterValidator(_origin)] | None = Field(
        None,
        description="Where holders reach the gateway's pages and sign in: https://host or https://host:port. Default: only at "
        "this machine's own names, such as 127.0.0.1.",
    )
    trusted_proxies: NetworkList = Field(
        (),
        description="Networks of the operator's own proxies before the gateway, like 10.0.0.0/8, 2001:db8:1::/48: they are believed "
        "about whom a call came from, so that tries are counted by that. Default: none, and each connection speaks for itself.",
    )
    forwarded_header: Literal["x-forwarded-for", "forwarded"] = Field(
        "x-forwarded-for",
        description="Which header those proxies write. They must add to it or replace it; the other one is not read.",
    )
    dev_key: SecretStr | None = Field(
        None,
        description="What signs in as the dev holder, on a local chain alone. Default: a new one each time, shown by "
        "`mintery up`.",
    )

    confirmations: int | None = Field(
        None, ge=0, description="Blocks on top of one before it is believed. Default: 12; 0 on a local dev chain."
    )
    confirm_by: Literal["depth", "finalized"] = Field(
        "depth",
        description="Whether a block is believed by its depth alone, or only when the chain calls it finalized as well.",
    )
    finality: int | None = Field(
        None,
        ge=0,
        description="Blocks on top of one before it is final: a reorganisation that reaches it stops settlement until "
        "a person has looked. Default: the chain's own `finalized` block.",
    )
    sync_interval: float = Field(2.0, gt=0, description="Between two readings of deposits, exits and settlements.")
    market_interval: float = Field(2.0, gt=0, description="Between two readings of projects and prices.")
    market_longest_age: float = Field(
        60.0, gt=0, description="No new requests by a reading of the chain older than this."
    )
    settlement_interval: float = Field(60.0, gt=0, description="Between two settlement batches.")
    price_interval: float = Field(30.0, gt=0, description="Between two looks at the price sources.")
    price_heartbeat: int = Field(3_600, gt=0, description="An unchanged price is reported again after this.")
    expiry_interval: float = Field(5.0, gt=0, description="Between two sweeps of lapsed holds.")
    reserve_interval: float = Field(60.0, gt=0, description="Between two looks at what each project's reserve is.")
    reconcile_interval: float = Field(60.0, gt=0, description="Between two comparisons of chain and ledger.")
    orders_interval: float = Field(5.0, gt=0, description="Between two looks at orders and their rails.")
    bump_after: int = Field(90, gt=0, description="A settlement in no block after this is sent again with higher fees.")

    max_fee_gwei: Decimal = Field(
        Decimal(100),
        gt=0,
        max_digits=18,
        decimal_places=9,
        description="Most that a settlement offers per gas, in gwei (1e-9 ether). Where blocks cost more it waits, with an alarm.",
    )
    max_batch_gas_percent: int = Field(
        50, ge=1, le=100, description="Most of a block's gas that one settlement may need; more is split."
    )
    max_open_batches: int = Field(8, ge=1, description="Settlements that may wait for their confirmations at once.")
    max_batch_lines: int = Field(100, ge=1, le=1_000, description="Most accounts in one settlement transaction.")
    max_batch_receipts: int = Field(10_000, ge=1, le=2**24 - 1, description="Most receipts in one settlement.")
    max_body_bytes: int = Field(10 * 2**20, gt=0, description="Largest request body that the gateway reads.")
    max_open_requests: int = Field(500, ge=1, description="Requests in flight before new ones are told to wait.")
    max_open_requests_per_account: int = Field(
        100, ge=1, description="Of these, how many one account may have before it is told to wait (429)."
    )
    max_waiting_requests: int = Field(
        500, ge=0, description="Requests that wait for room, members first, before new ones are refused; 0: none wait."
    )
    queue_seconds: float = Field(3.0, gt=0, le=30, description="How long one waits for room at most.")
    max_connections: int = Field(2_000, ge=1, description="Clients connected at once, to each process.")
    provider_timeout: int = Field(300, ge=1, description="Longest wait for a provider's answer.")

    def confirmations_on(self, *, local: bool) -> int:
        """Blocks on top of one before it is believed."""
        if self.confirmations is not None:
            return self.confirmations
        return LOCAL_CONFIRMATIONS if local else CONFIRMATIONS


def load_settings(**overrides: Any) -> Settings:
    """The environment's settings; ``overrides`` win.

    Raises:
        SettingRefused: names the variable and what is wrong with it, never its value.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingRefused(variable(name), first["msg"]) from None


def variable(name: str) -> str:
    """The environment variable behind a setting."""
    return "SOLC" if name.upper() == "SOLC" else PREFIX + name.upper()


def required(value: SecretStr | None, name: str, why: str) -> str:
    """A secret's text.

    Raises:
        SettingMissing
    """
    if value is None:
        raise SettingMissing(variable(name), why)
    return value.get_secret_value()


def read_secret(name: str) -> str | None:
    """The environment variable ``name``, where a person keeps a key under a name of their own."""
    return os.environ.get(name)


def environment() -> Mapping[str, str]:
    """All of it, for files that name the variables their keys are in."""
    return os.environ
