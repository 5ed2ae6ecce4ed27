"""What a gateway may sell now, in one word: by the vault, the asset, the escrow and the prices, as one reading shows them."""

from collections.abc import Iterable
from enum import StrEnum

from mintery.domain.market import Market
from mintery.domain.price import PriceState
from mintery.domain.project import Project
from mintery.units import UnixSeconds


class GatewayState(StrEnum):
    """Mildest first; the worst that holds is the gateway's."""

    NORMAL = "normal"
    SOFT_STALE = "soft_stale"
    """A price was last seen longer ago than two heartbeats: holds up to one dollar."""
    QUEUED = "queued"
    """A new price waits for its confirmation: no new holds for that SKU; what is open settles."""
    HARD_STALE = "hard_stale"
    """A price was last seen longer ago than six heartbeats: no new holds for that SKU; unused ones are released."""
    RETIRED = "retired"
    """The project drains: no new holds; what is open settles."""
    PAUSED = "paused"
    """Settlement is paused by a guardian: no new holds until it ends."""
    UNDERCOLLATERAL = "undercollateral"
    """The vault holds less than its claims: no mint and no new holds; what is open settles."""
    DEPEG = "depeg"
    """The asset does not hold its par: no mint and no new holds; what is open settles."""
    UNREAD = "unread"
    """The chain cannot be read, or was read too long ago: no new holds."""


_RANK = {state: rank for rank, state in enumerate(GatewayState)}


def state_of(market: Market, prices: Iterable[PriceState], now: UnixSeconds) -> GatewayState:
    """``prices``: the states of what is for sale. One retired project of several is no state of the gateway."""
    found = [GatewayState(price.value) for price in set(prices)]
    if market.projects and all(project.retired_at is not None for project in market.projects.values()):
        found.append(GatewayState.RETIRED)
    if (whole := state_of_market(market, now)) is not None:
        found.append(whole)
    return max(found, key=_RANK.__getitem__, default=GatewayState.NORMAL)


def state_of_market(market: Market, now: UnixSeconds) -> GatewayState | None:
    """What stops everything, the worst of it; None where nothing does."""
    if market.depegged:
        return GatewayState.DEPEG
    if market.assets < market.claims:
        return GatewayState.UNDERCOLLATERAL
    return GatewayState.PAUSED if market.paused_until > now else None


def state_of_project(market: Market, project: Project, now: UnixSeconds) -> GatewayState:
    whole = state_of_market(market, now)
    if whole is not None:
        return whole
    return GatewayState.NORMAL if project.retired_at is None else GatewayState.RETIRED
