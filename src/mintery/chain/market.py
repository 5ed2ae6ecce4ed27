"""Reads what a gateway sells by, all of it at one block."""

from collections.abc import Iterable

from mintery.chain.contracts import Contracts
from mintery.chain.rpc import BlockRef
from mintery.domain.market import Market, PayoutWindow
from mintery.domain.project import Project
from mintery.domain.voucher import Address
from mintery.units import UnixSeconds

WINDOW_SECONDS = 86_400
"""The vault counts caps in windows of whole UTC days."""


def read_market(contracts: Contracts, gateway: Address, tokens: Iterable[Address], at: BlockRef) -> Market:
    """One consistent reading.

    Raises:
        RpcRefused: the block is no longer of the chain; read again at a newer one.
    """
    providers = contracts.registry.providers(at=at)
    projects = {token: read_project(contracts, token, at=at) for token in tokens}
    ends = UnixSeconds(at.timestamp - at.timestamp % WINDOW_SECONDS + WINDOW_SECONDS)
    return Market(
        block_number=at.number,
        block_hash=at.hash,
        block_time=at.timestamp,
        projects=projects,
        prices={price.sku: price for price in contracts.oracle.prices_in_force(at=at)},
        payouts={t: PayoutWindow(contracts.vault.payout_room(t, gateway, at=at), ends) for t in projects},
        inactive_providers=frozenset(provider.id for provider in providers if not provider.takes_holds),
        resale_forbidden=frozenset(each.id for each in providers if each.active and not each.takes_holds),
        depegged=contracts.oracle.depegged(at=at),
        assets=contracts.asset.balance_of(contracts.vault.address, at=at),
        claims=contracts.vault.total_claims(at=at),
        paused_until=contracts.escrow.paused_until(at=at),
    )


def read_project(contracts: Contracts, token: Address, *, at: BlockRef | None = None) -> Project:
    """Raises TransactionReverted (UnknownProject) for a token that the vault did not open."""
    project = contracts.vault.project_of(token, at=at)
    credit_token = contracts.token(token)
    registered = range(1, contracts.registry.count(at=at) + 1)
    return Project(
        token=token,
        name=credit_token.token_name(),
        symbol=credit_token.symbol(),
        issuer=project.issuer,
        par=project.par,
        markup=project.markup,
        kind=project.kind,
        providers=frozenset(id_ for id_ in registered if contracts.vault.has_provider(token, id_, at=at)),
        retired_at=project.retired_at or None,
    )
