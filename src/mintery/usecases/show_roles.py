"""Who can do what now, and after which delay: read from the chain, from nothing else."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from mintery.chain.access import ADMIN_ROLE, GUARDIAN_ROLE, PUBLIC_ROLE, AccessManager, Announced, Member
from mintery.chain.artifact import load_artifact
from mintery.chain.contract import Contract
from mintery.chain.events import SettlerAppointed, decode_log
from mintery.chain.roles import RESTRICTED
from mintery.chain.rpc import BlockRef
from mintery.domain.voucher import Address
from mintery.usecases.find_projects import BLOCKS_AT_ONCE, find_projects
from mintery.usecases.onchain import OnChain

ROLE_NAMES = {ADMIN_ROLE: "admin", GUARDIAN_ROLE: "guardian", PUBLIC_ROLE: "anyone"}


@dataclass(frozen=True, slots=True)
class RoleFunctions:
    """Restricted functions that one role may call, as ``ReserveVault.sweep``."""

    role: int
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProjectIssuer:
    """``loosening_delay``: seconds between announcing higher caps or more providers and having them."""

    token: Address
    symbol: str
    issuer: Address
    fee_recipient: Address
    public_mint: bool
    retired: bool
    loosening_delay: int


@dataclass(frozen=True, slots=True)
class Roles:
    """At one block.

    Attributes:
        members: who holds a role of the AccessManager, with its delay in seconds.
        functions: what each role may call.
        announced: calls that wait for their delay.
        closed: contracts of which nobody may call a restricted function.
        other_authorities: contracts that ask another authority than the deployment's AccessManager, and which: of those
            nothing that is said here of roles holds.
        settlers: who settles and releases for each gateway, at once.
        exit_delay: seconds; a holder's exit, and with it the revocation of a signer.
    """

    block: BlockRef
    members: tuple[Member, ...]
    functions: tuple[RoleFunctions, ...]
    announced: tuple[Announced, ...]
    closed: tuple[str, ...]
    other_authorities: tuple[tuple[str, Address], ...]
    settlers: tuple[tuple[Address, Address], ...]
    reporters: tuple[Address, ...]
    quorum: int
    queue_delay: int
    exit_delay: int
    projects: tuple[ProjectIssuer, ...]


def show_roles(chain: OnChain, at: BlockRef) -> Roles:
    """Raises RpcRefused, RpcUnavailable."""
    access, first = chain.contracts.access, chain.deployment.first_block
    targets = _targets(chain)
    exit_delay = chain.escrow.exit_delay()
    return Roles(
        block=at,
        members=access.members(first_block=first, at=at),
        functions=_functions(chain, targets, at),
        announced=access.announced(first_block=first, at=at),
        closed=tuple(target.name for target in targets.values() if access.is_closed(target.address, at=at)),
        other_authorities=tuple(_other_authorities(access, targets, at)),
        settlers=tuple(_settlers(chain, at)),
        reporters=chain.oracle.reporters(at=at),
        quorum=chain.oracle.quorum(at=at),
        queue_delay=chain.oracle.queue_delay(),
        exit_delay=exit_delay,
        projects=tuple(_issuers(chain, at, exit_delay)),
    )


def name_of(chain: OnChain, target: Address, calldata: bytes) -> str:
    """``ReserveVault.sweep``, or the target and selector of what is not ours."""
    for contract in (*_targets(chain).values(), chain.contracts.access):
        if contract.address == target:
            for name, function in contract.abi.functions.items():
                if function.selector == calldata[:4]:
                    return f"{contract.name}.{name}"
    return f"{target}:0x{calldata[:4].hex()}"


def _targets(chain: OnChain) -> dict[str, Contract]:
    return {"vault": chain.vault, "escrow": chain.escrow, "oracle": chain.oracle, "registry": chain.registry}


def _functions(chain: OnChain, targets: dict[str, Contract], at: BlockRef) -> tuple[RoleFunctions, ...]:
    by_role: defaultdict[int, list[str]] = defaultdict(list)
    for short, functions in RESTRICTED.items():
        target = targets[short]
        for function in functions:
            role = chain.contracts.access.function_role(target.address, target.abi.selector(function), at=at)
            by_role[role].append(f"{target.name}.{function}")
    return tuple(RoleFunctions(role, tuple(sorted(names))) for role, names in sorted(by_role.items()))


def _other_authorities(
    access: AccessManager, targets: dict[str, Contract], at: BlockRef
) -> Iterator[tuple[str, Address]]:
    for target in targets.values():
        authority = target.read("authority", at=at)
        if authority != access.address:
            yield target.name, authority


def _settlers(chain: OnChain, at: BlockRef) -> list[tuple[Address, Address]]:
    topics = [t for t, e in load_artifact("SpendEscrow").abi.events.items() if e.name == SettlerAppointed.__name__]
    appointed = set()
    for low in range(chain.deployment.first_block, at.number + 1, BLOCKS_AT_ONCE):
        for log in chain.rpc.logs(low, min(low + BLOCKS_AT_ONCE - 1, at.number), [chain.escrow.address], topics):
            if isinstance(event := decode_log(log), SettlerAppointed):
                appointed.add((event.gateway, event.settler))
    return [pair for pair in sorted(appointed) if chain.escrow.is_settler(*pair, at=at)]


def _issuers(chain: OnChain, at: BlockRef, exit_delay: int) -> list[ProjectIssuer]:
    found = []
    for opened in find_projects(chain, last=at.number):
        project = chain.vault.project_of(opened.token, at=at)
        found.append(
            ProjectIssuer(
                token=opened.token,
                symbol=opened.terms.symbol,
                issuer=project.issuer,
                fee_recipient=project.fee_recipient,
                public_mint=project.public_mint,
                retired=bool(project.retired_at),
                loosening_delay=2 * exit_delay,
            )
        )
    return found
