"""A gateway that sells something of itself: rates, a model kept for members, and places in the queue."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tests.databases import new_ledger
from tests.gateway.rig import IDENTITY, OTHER_TOKEN, PROVIDER_ID, TOKEN, Rig, market, model, rig

from mintery.domain.market import Market
from mintery.domain.membership import Offer, Offers, Period, Seller, Standing
from mintery.domain.price import PriceInForce
from mintery.domain.rates import Rates
from mintery.domain.voucher import Kind
from mintery.ledger.store import open_ledger
from mintery.units import UnixSeconds, UsdWad, parse_usd
from mintery.usecases.parts import GatewayLimits, GatewayParts
from mintery.usecases.renew_memberships import Renewed, renew_memberships

USUAL, PRO = Rates(requests=1_000), Rates(requests=10_000)
SELLER_ID, OFFICIAL_SELLER_ID = 9, 10
PRICES = {
    "mintery/pro:request": "0.01",
    "mintery/membership.pro:month": "20",
    "mintery/priority:request": "0.002",
    "mintery-official/pro:request": "0.02",
    "mintery-official/membership.pro:month": "30",
    "mintery-official/priority:request": "0.003",
}
PREMIUM = replace(model("echo"), id="test/premium", needs="pro", serves="good", quality=900)
PLAIN = replace(model("echo"), id="test/plain", serves="good", quality=100)


def offers(usual: Rates = USUAL, pro: Rates = PRO) -> Offers:
    both = frozenset({Period.MONTH, Period.REQUEST})
    return Offers(
        sellers=(
            Seller("mintery", SELLER_ID, Kind.ROUTED),
            Seller("mintery-official", OFFICIAL_SELLER_ID, Kind.OFFICIAL),
        ),
        offers={
            "pro": Offer("pro", both, pro, priority=1),
            "priority": Offer("priority", frozenset({Period.REQUEST}), usual, priority=2),
        },
        without=Standing(rates=usual),
    )


def members_market(sold: Offers, at: float | None = None) -> Market:
    """TOKEN's project is routed, OTHER_TOKEN's official; the terms of both name the gateway. ``at``: unix seconds."""
    now = UnixSeconds(int(at or time.time()))
    read = market(now)
    skus = [sku for each in (PREMIUM, PLAIN, *sold.fees) for sku in each.skus]
    echo = {sku.unit: price.usd for sku, price in read.prices.items() if sku.model == "test/echo"}
    prices = {
        sku: PriceInForce(
            sku,
            len(read.prices) + place,
            1,
            UsdWad(parse_usd(PRICES[str(sku)])) if str(sku) in PRICES else echo[sku.unit],
            now,
            queued=False,
        )
        for place, sku in enumerate(skus)
    }
    routed, official = read.projects[TOKEN], read.projects[OTHER_TOKEN]
    return replace(
        read,
        prices={**read.prices, **prices},
        projects={
            TOKEN: replace(routed, providers=frozenset({PROVIDER_ID, SELLER_ID})),
            OTHER_TOKEN: replace(
                official,
                kind=Kind.OFFICIAL,
                providers=frozenset({PROVIDER_ID, OFFICIAL_SELLER_ID}),
                symbol="OFFICIAL_X",
            ),
        },
    )


@contextmanager
def members_rig(folder: Path, sold: Offers | None = None, limits: GatewayLimits | None = None) -> Iterator[Rig]:
    """Its holder has 100 credits of TOKEN; its ledger is checked once more at the end."""
    sold = sold or offers()
    with open_ledger(new_ledger(folder / "ledger.sqlite"), IDENTITY) as ledger:
        with rig(ledger, limits=limits, extra=(PREMIUM, PLAIN), offers=sold, first_byte=10) as running:
            running.market = members_market(sold)
            running.fund(100)
            yield running
        ledger.check()


def later(gateway: Rig, now: datetime) -> GatewayParts:
    """The gateway at another time, with prices seen then."""
    gateway.market = members_market(gateway.parts.standings.offers, now.timestamp())
    return replace(gateway.parts, clock=lambda: now)


def renew(gateway: Rig, now: datetime) -> Renewed:
    return renew_memberships(later(gateway, now), now)
