"""What a SKU has cost, as the chain keeps it."""

import io

import pytest
from rich.console import Console
from tests.usecases.town import PRICES, Town

from mintery.cli.commands.price import _plot
from mintery.errors import UnknownSku
from mintery.units import UsdWad
from mintery.usecases.read_price_history import read_price_history

SKU = "acme/small:input_token"


def test_versions_come_in_order_with_their_times_and_what_waits(town: Town):
    small, leap = UsdWad(PRICES[SKU] * 105 // 100), UsdWad(PRICES[SKU] * 3)
    town.report({**PRICES, SKU: small})
    town.report({**PRICES, SKU: leap})

    found = read_price_history(town.chain, SKU, limit=100)

    assert [(number, price.usd) for number, price in found.versions] == [(1, PRICES[SKU]), (2, small)]
    (_, first), (_, second) = found.versions
    assert first.superseded_at == second.since
    assert second.superseded_at == 0
    assert found.queued is not None
    assert found.queued.usd == leap
    assert [number for number, _ in read_price_history(town.chain, SKU, limit=1).versions] == [2]

    out = io.StringIO()
    _plot(found, Console(file=out, width=100, color_system=None))
    shown = out.getvalue()
    assert "+4.99 %" in shown
    assert "waiting since" in shown
    assert "USD per million input tokens" in shown
    assert "╭" in shown


def test_a_sku_without_a_price_has_no_history(town: Town):
    found = read_price_history(town.chain, "asset:usd", limit=100)
    assert (found.versions, found.refreshed_at, found.queued) == ((), 0, None)
    out = io.StringIO()
    _plot(found, Console(file=out, width=100, color_system=None))
    assert "none yet" in out.getvalue()


def test_an_unknown_sku_is_refused(town: Town):
    with pytest.raises(UnknownSku):
        read_price_history(town.chain, "acme/none:input_token", limit=1)
