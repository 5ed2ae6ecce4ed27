"""What a deployment is set up with: limits, roles, reporters, SKUs and providers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mintery.chain.access import ADMIN_ROLE, GUARDIAN_ROLE
from mintery.chain.contract import Contract
from mintery.chain.contracts import Contracts
from mintery.chain.rpc import Call, TxReceipt
from mintery.chain.sender import Sender
from mintery.chain.spend_escrow import SpendEscrow
from mintery.domain.voucher import Address, Kind
from mintery.errors import SettingMissing, SettingTooLow

HOUR = 3_600
LEAST_EXIT_DELAY = HOUR
LEAST_QUEUE_DELAY = HOUR
LEAST_EPOCH = 600
LOCAL_QUEUE_DELAY = 2
LOCAL_EPOCH = 1
DEFAULT_QUORUM = 3

GUARDED = {
    "vault": ("retire", "tightenCaps", "removeProvider", "setListMember"),
    "escrow": ("pauseSettlement",),
    "oracle": ("vetoPrice", "declareDepeg"),
    "registry": ("deactivate", "forbidResale"),
}
"""What tightens. Everything else that is restricted is the admin's, and waits for the admin's delay."""


RESTRICTED = {
    "vault": (*GUARDED["vault"], "setEscrow", "sweep"),
    "escrow": GUARDED["escrow"],
    "oracle": (*GUARDED["oracle"], "withdrawDepeg", "addSku", "setReporters"),
    "registry": (*GUARDED["registry"], "register", "activate", "allowResale"),
}
"""Every function that asks the AccessManager. A project's own issuer needs no role to tighten its terms."""


@dataclass(frozen=True, slots=True)
class NewProvider:
    """A provider to register; ``name`` is what stands before the slash in its SKUs."""

    name: str
    payout: Address
    kind: Kind
    resale_allowed: bool


@dataclass(frozen=True, slots=True)
class DeployConfig:
    """What to deploy. Seconds.

    Attributes:
        reporters: who signs prices; five of them tolerate one liar.
        quorum: how many must agree, odd.
        asset: the stablecoin; on a local chain None deploys a TestDollar.
        admin, guardian: the deployer where None.
        admin_delay: between announcing and doing what loosens; two exit delays at least, but on a local chain.
    """

    reporters: tuple[Address, ...]
    quorum: int = DEFAULT_QUORUM
    skus: tuple[str, ...] = ()
    providers: tuple[NewProvider, ...] = ()
    asset: Address | None = None
    exit_delay: int = LEAST_EXIT_DELAY
    queue_delay: int = LEAST_QUEUE_DELAY
    epoch_length: int = LEAST_EPOCH
    admin: Address | None = None
    guardian: Address | None = None
    admin_delay: int = 0


def check_limits(config: DeployConfig, *, local: bool) -> None:
    """The delays that holders rely on. A local dev chain may queue and report faster; exits take an hour everywhere.

    Raises:
        SettingTooLow, SettingMissing
    """
    # What loosens waits as long as an issuer's loosening does: every holder can leave first.
    for name, actual, limit in (
        ("admin_delay", config.admin_delay, 0 if local else 2 * config.exit_delay),
        ("exit_delay", config.exit_delay, LEAST_EXIT_DELAY),
        ("queue_delay", config.queue_delay, LOCAL_QUEUE_DELAY if local else LEAST_QUEUE_DELAY),
        ("epoch_length", config.epoch_length, LOCAL_EPOCH if local else LEAST_EPOCH),
    ):
        if actual < limit:
            raise SettingTooLow(name, actual=actual, limit=limit)
    if config.asset is None and not local:
        raise SettingMissing("asset", "a TestDollar is for local chains; name the stablecoin's address")


def missing_setup(contracts: Contracts, config: DeployConfig, deployer: Address) -> list[Call]:
    """Calls of the AccessManager for what is not set up yet. Role delays come last: they would slow the rest."""
    access = contracts.access
    return [
        *(access.execute_call(call) for call in _missing_parts(contracts, config)),
        *_missing_function_roles(contracts),
        *_missing_grants(contracts, config, deployer),
    ]


def _missing_parts(contracts: Contracts, config: DeployConfig) -> Iterator[Call]:
    if contracts.vault.escrow() != contracts.escrow.address:
        yield contracts.vault.call("setEscrow", contracts.escrow.address)
    reporters = (frozenset(contracts.oracle.reporters()), contracts.oracle.quorum())
    if reporters != (frozenset(config.reporters), config.quorum):
        yield contracts.oracle.set_reporters_call(config.reporters, config.quorum)
    for provider in config.providers:
        if not contracts.registry.is_registered(provider.name):
            yield contracts.registry.register_call(
                provider.name, provider.payout, provider.kind, resale_allowed=provider.resale_allowed
            )
    for sku in config.skus:
        if contracts.oracle.find_sku(sku) is None:
            yield contracts.oracle.add_sku_call(sku)


def _missing_function_roles(contracts: Contracts) -> Iterator[Call]:
    targets: dict[str, Contract] = {
        "vault": contracts.vault,
        "escrow": contracts.escrow,
        "oracle": contracts.oracle,
        "registry": contracts.registry,
    }
    for name, functions in GUARDED.items():
        target = targets[name]
        missing = _not_guarded(contracts, target, functions)
        if missing:
            yield contracts.access.function_roles_call(target, missing, GUARDIAN_ROLE)


def _not_guarded(contracts: Contracts, target: Contract, functions: Sequence[str]) -> list[str]:
    return [
        function
        for function in functions
        if contracts.access.function_role(target.address, target.abi.selector(function)) != GUARDIAN_ROLE
    ]


def _missing_grants(contracts: Contracts, config: DeployConfig, deployer: Address) -> Iterator[Call]:
    access = contracts.access
    guardian = config.guardian or deployer
    if not access.has_role(GUARDIAN_ROLE, guardian)[0]:
        yield access.grant_call(GUARDIAN_ROLE, guardian, delay=0)
    admin = config.admin or deployer
    if access.has_role(ADMIN_ROLE, admin) != (True, config.admin_delay):
        yield access.grant_call(ADMIN_ROLE, admin, delay=config.admin_delay)
    if admin != deployer and access.has_role(ADMIN_ROLE, deployer)[0]:
        yield access.revoke_call(ADMIN_ROLE, deployer)


def appoint_settlers(escrow: SpendEscrow, gateway: Sender, settlers: Iterable[Address]) -> tuple[TxReceipt, ...]:
    """Sent by the gateway's own key; settlers that it appointed before are left alone."""
    missing = [settler for settler in settlers if not escrow.is_settler(gateway.address, settler)]
    return tuple(escrow.appoint_settler(gateway, settler) for settler in missing)
