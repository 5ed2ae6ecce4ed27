"""What the reports of several reporters come to, before a chain is asked: the same median that the oracle would take."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mintery.domain.observation import MOST_DISAGREEMENT_BPS, ONE_IN_BPS
from mintery.domain.voucher import Address
from mintery.units import UnixSeconds, UsdWad


@dataclass(frozen=True, slots=True)
class Vote:
    """What one reporter saw: prices by SKU number, 1e-18 USD, those that it saw unchanged included."""

    reporter: Address
    prices: Mapping[int, UsdWad]


@dataclass(frozen=True, slots=True)
class Dissent:
    """A reporter whose price of a SKU is not the one that a quorum agrees on: of these prices the one farthest off."""

    reporter: Address
    sku: int
    said: UsdWad
    agreed: UsdWad


def agreed_prices(votes: Sequence[Vote], quorum: int) -> dict[int, UsdWad]:
    """For each SKU that a quorum has seen the lower median, where most of them say that price or one within 0.5 % of it.

    No more than f of 2f + 1 lie: so the median is what an honest one says, or lies between two of them.
    """
    agreed = {}
    for sku in {sku for vote in votes for sku in vote.prices}:
        said = sorted(vote.prices[sku] for vote in votes if sku in vote.prices)
        median = said[(len(said) - 1) >> 1]
        if len(said) >= quorum and 2 * sum(is_alike(usd, median) for usd in said) > len(said):
            agreed[sku] = median
    return agreed


def is_seen_by(votes: Iterable[Vote], sku: int, quorum: int) -> bool:
    return sum(sku in vote.prices for vote in votes) >= quorum


def is_alike(usd: UsdWad, other: UsdWad) -> bool:
    """They differ by no more than 0.5 % of the lower one."""
    return abs(usd - other) * ONE_IN_BPS <= min(usd, other) * MOST_DISAGREEMENT_BPS


def dissents(votes: Iterable[Vote], agreed: Mapping[int, UsdWad]) -> dict[Address, Dissent]:
    """By reporter, where there is one."""
    found: dict[Address, Dissent] = {}
    for vote in votes:
        for sku, usd in vote.prices.items():
            if sku not in agreed or is_alike(usd, agreed[sku]):
                continue
            worst = found.get(vote.reporter)
            if worst is None or _is_farther(usd, agreed[sku], worst.said, worst.agreed):
                found[vote.reporter] = Dissent(vote.reporter, sku, usd, agreed[sku])
    return found


def _is_farther(usd: UsdWad, agreed: UsdWad, than: UsdWad, than_agreed: UsdWad) -> bool:
    """By ratio, whichever way; compared crosswise, so that nothing rounds."""
    high, low = max(usd, agreed), min(usd, agreed)
    return high * min(than, than_agreed) > low * max(than, than_agreed)


def is_turn_of(reporter: Address, among: Iterable[Address], epoch: int, epoch_length: int, now: UnixSeconds) -> bool:
    """Whether ``reporter`` may send the epoch's report by now: one may at once, each other a while later, and who is first
    changes with the epoch. Who waits mostly finds that it was done; nobody needs to be asked.
    """
    order = sorted(among, key=str.lower)
    rank = (order.index(reporter) + epoch) % len(order)
    return (now - epoch * epoch_length) * 2 * len(order) >= rank * epoch_length
