"""What ``mintery up`` sells of itself, so that a newcomer sees a membership: a TEST model kept for its members."""

from collections.abc import Mapping

from mintery.domain.membership import Offer, Offers, Period, Seller
from mintery.domain.rates import UNLIMITED
from mintery.domain.voucher import Kind

MEMBERSHIP = "plus"
MEMBERS_MODEL = "chat-plus"
DEMO_PRICES: Mapping[str, str] = {
    f"mintery/membership.{MEMBERSHIP}:month": "5",
    f"test/{MEMBERS_MODEL}:input_token": "0.000002",
    f"test/{MEMBERS_MODEL}:output_token": "0.000008",
}
"""USD per unit."""


def demo_offers(seller_id: int) -> Offers:
    """One membership, by the month. ``seller_id``: the gateway's own in the ProviderRegistry."""
    return Offers(
        sellers=(Seller("mintery", seller_id, Kind.ROUTED),),
        offers={MEMBERSHIP: Offer(MEMBERSHIP, frozenset({Period.MONTH}), UNLIMITED, priority=1)},
    )
