"""What several lists say of several SKUs: one that breaks closes only what it was asked."""

from datetime import UTC, datetime

from mintery.domain.observation import Flaw, NoPrice, Observed, SourceAnswer, SourcePrice, Unroutable
from mintery.units import UsdWad
from mintery.usecases.observe_prices import observe_prices

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Breaking:
    """It breaks over one SKU, has a price of another, and lists no third."""

    name = "breaking"

    def price_of(self, sku: str, now: datetime) -> SourceAnswer:
        del now
        if sku == "a/bad:request":
            raise OverflowError
        return SourcePrice(self.name, UsdWad(7)) if sku == "a/good:request" else NoPrice(self.name, "not listed")


class Steady:
    name = "steady"

    def price_of(self, sku: str, now: datetime) -> SourceAnswer:
        del sku, now
        return SourcePrice(self.name, UsdWad(7))


def test_a_list_that_breaks_over_one_sku_closes_that_one_alone():
    skus = ("a/bad:request", "a/good:request", "b/other:request")

    bad, good, other = observe_prices([Breaking(), Steady()], skus, NOON)

    assert bad == Unroutable("a/bad:request", "breaking: it cannot be read: OverflowError", Flaw.NONSENSE)
    assert isinstance(good, Observed)
    assert isinstance(other, Observed)
