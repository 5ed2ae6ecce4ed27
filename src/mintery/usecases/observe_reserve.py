"""Keep what each project's reserve was, whenever it changed: what the chain itself tells of its present alone."""

from collections.abc import Iterable

from mintery.domain.reserve import ReserveObservation
from mintery.domain.voucher import Address
from mintery.ledger.commands import ObserveReserve
from mintery.ledger.reads import Ledger
from mintery.units import assets_up
from mintery.usecases.onchain import OnChain

LONGEST_SECONDS = 86_400
"""An unchanged reserve is noted again after a day: that it was looked at shows too."""


def observe_reserve(chain: OnChain, ledger: Ledger, tokens: Iterable[Address]) -> int:
    """How many projects' figures were noted, all at the newest final block.

    Raises:
        RpcUnavailable, RpcRefused
    """
    at = chain.finalized_block()
    commands = []
    for token in tokens:
        if not chain.vault.is_project(token, at=at):
            continue  # opened in a block that is not final yet
        project = chain.vault.project_of(token, at=at)
        supply = chain.token(token).total_supply(at=at)
        seen = ReserveObservation(
            token, at.number, at.timestamp, supply, project.reserve, assets_up(supply, project.par)
        )
        last = next(iter(ledger.reserve_history(token, limit=1)), None)
        if last is None or not last.same_figures(seen) or at.timestamp - last.block_time >= LONGEST_SECONDS:
            commands.append(ObserveReserve(seen))
    if commands:
        ledger.commit(commands)
    return len(commands)
