"""What an operator sets of channels acts on the next request, here and in every other process on the ledger."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import anyio
import pytest
from tests.databases import Database, new_ledger
from tests.gateway.rig import IDENTITY
from tests.usecases.shop import Shop, fund, seller

from mintery.domain.channel import ChannelChange
from mintery.domain.voucher import Kind
from mintery.errors import (
    ChannelChangedMeanwhile,
    ChannelDisabled,
    ChannelSettingRefused,
    ModelUnpriced,
    MultiplierAboveMarkup,
    NoRoute,
    ProviderRefused,
    ResaleForbidden,
    UnknownChannel,
    UnknownModel,
)
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.providers.calls import Reply
from mintery.units import BasisPoints, nanocredits_up
from mintery.usecases import change_channel as change
from mintery.usecases.change_channel import Said
from mintery.usecases.channel_board import ListedModels
from mintery.usecases.discover_models import discover_models
from mintery.usecases.list_channels import list_changes, list_channels

pytestmark = pytest.mark.anyio
TERMS: dict[str, Any] = {
    "upstream": "new-1",
    "units": ["input_token", "output_token"],
    "max_output_tokens": 100,
    "context_tokens": 1_000,
}


def said(shop: Shop, reason: str = "as agreed") -> Said:
    return Said("ann", reason, shop.now)


@pytest.fixture
def books(tmp_path: Any) -> Iterator[LedgerStore]:
    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger:
        fund(ledger)
        yield ledger
        ledger.check()


@pytest.fixture
def shop(books: LedgerStore) -> Shop:
    return Shop(ledger=books, markup=1_000)


async def test_a_provider_that_forbids_resale_is_left_at_once_in_every_process(database: Database):
    """What it was asked before is answered and paid; nothing restarts, and allowing it again is as quick."""
    with open_ledger(database.url, IDENTITY) as ledger, open_ledger(database.url, IDENTITY) as elsewhere:
        fund(ledger)
        here, there = Shop(ledger=ledger), Shop(ledger=elsewhere)
        assert await here.answered() == await there.answered() == "a/m"
        held, go_on = anyio.Event(), anyio.Event()

        async def wait(*_: object) -> Reply:
            held.set()
            await go_on.wait()
            return here.providers["b"].reply

        here.providers["a"].ask, asks = wait, here.providers["a"].ask  # type: ignore[method-assign]  # until it may go on
        open_ = await here.pay()
        await held.wait()

        change.allow_resale(here.parts, "a", said(here), allowed=False)
        assert there.parts.channels.refresh()
        for shop in (here, there):
            with pytest.raises(ResaleForbidden):
                await shop.pay("a/m")
            assert await shop.answered() == "b/m"
        go_on.set()
        await open_.whole()
        assert open_.error is None

        here.providers["a"].ask = asks  # type: ignore[method-assign]  # as above
        change.allow_resale(there.parts, "a", said(there), allowed=True)
        assert here.parts.channels.refresh()
        assert await here.answered("a/m") == await there.answered() == "a/m"
        assert not here.parts.channels.refresh()
        ledger.check()


async def test_a_stand_in_whose_provider_forbids_resale_meanwhile_is_passed_over(shop: Shop):
    shop.providers["a"].breaks_with = ProviderRefused("a", 503, b"")
    shop.providers["a"].before = lambda: _forbid(shop, "b")

    receipt = await shop.receipt()

    assert (receipt.model, receipt.backup, shop.asked()) == ("c/m", True, ["a", "c"])


def _forbid(shop: Shop, provider: str) -> None:
    change.allow_resale(shop.parts, provider, said(shop), allowed=False)


async def test_a_channel_is_switched_off_and_on_removed_and_put_back(shop: Shop):
    change.enable_channel(shop.parts, "a/m", said(shop), enabled=False)
    with pytest.raises(ChannelDisabled):
        await shop.pay("a/m")
    assert await shop.answered("best") == "b/m"
    assert ListedModels(shop.parts.channels)["a/m"].id == "a/m", (
        "it is priced on, for it may be switched on at any time"
    )

    with pytest.raises(UnknownModel):
        await shop.pay("")
    change.enable_channel(shop.parts, "a/m", said(shop), enabled=True)
    change.remove_channel(shop.parts, "b/m", said(shop))
    with pytest.raises(UnknownModel):
        await shop.pay("b/m")
    assert await shop.answered("a/m") == "a/m"
    with pytest.raises(UnknownChannel):
        change.enable_channel(shop.parts, "b/m", said(shop), enabled=True)

    change.add_channel(shop.parts, "b/m", None, said(shop))
    assert await shop.answered("b/m") == "b/m"


async def test_a_multiplier_is_what_the_holder_pays_and_what_routes_are_compared_by(shop: Shop):
    """A project with a lower markup asks no more than that."""
    assert (await shop.receipt("cheapest")).model == "a/m"
    dear = await shop.receipt("b/m")

    change.set_multiplier(shop.parts, "b/m", 0, said(shop))
    cheap = await shop.receipt("cheapest")

    assert (dear.markup, cheap.model, cheap.markup) == (1_000, "b/m", 0)
    assert dear.cost == nanocredits_up(cheap.usd, cheap.par, BasisPoints(1_000))
    assert cheap.cost == nanocredits_up(cheap.usd, cheap.par, BasisPoints(0)) < dear.cost
    change.set_multiplier(shop.parts, "b/m", 900, said(shop))
    shop.markup = 300
    shop.set_market()
    assert (await shop.receipt("b/m")).markup == 300
    change.set_multiplier(shop.parts, "b/m", None, said(shop))
    assert (await shop.receipt("a/m")).markup == (await shop.receipt("b/m")).markup == 300


def test_no_multiplier_is_above_the_projects_markup(shop: Shop):
    with pytest.raises(MultiplierAboveMarkup) as caught:
        change.set_multiplier(shop.parts, "a/m", 1_001, said(shop))

    assert (caught.value.actual, caught.value.limit) == (1_001, 1_000)
    assert shop.ledger.channel_changes() == []


async def test_a_primary_channel_is_asked_first_whatever_ranks_better_and_backups_say_so(shop: Shop):
    change.make_primary(shop.parts, "c/m", said(shop), backups=["b/m"])
    first = await shop.receipt("cheapest")
    shop.providers["c"].breaks_with = ProviderRefused("c", 503, b"")

    stood_in = await shop.receipt("shared")
    for _ in range(8):
        await shop.receipt("shared")
    shop.asked()
    alone = await shop.receipt("shared")

    assert [(each.model, each.backup) for each in (first, stood_in, alone)] == [
        ("c/m", False),
        ("b/m", True),
        ("b/m", True),
    ]
    assert shop.asked() == ["b"], "the primary's breaker is open: nobody waits for it"
    assert not (await shop.receipt("b/m")).backup, "it was asked for by its own name"
    [order] = list_changes(shop.parts, "routed:shared", 10)
    assert (order["after"], order["by"], order["reason"]) == (["c/m", "b/m", "a/m"], "ann", "as agreed")


def test_what_makes_no_sense_is_refused_and_leaves_no_trace(shop: Shop):
    parts, why = shop.parts, said(shop)
    sell(shop, "d", kind=Kind.OFFICIAL)
    refused = [
        lambda: change.make_primary(parts, "c/m", why, backups=["c/m"]),
        lambda: change.make_primary(parts, "c/m", why, backups=["x/m"]),
        lambda: change.allow_resale(parts, "d", why, allowed=False),
        lambda: change.set_multiplier(parts, "a/m", -1, why),
        lambda: change.add_channel(parts, "a/m", TERMS, why),
        lambda: change.add_channel(parts, "x/m", TERMS, why),
        lambda: change.add_channel(parts, "a/n", TERMS | {"units": ["wish"]}, why),
        lambda: change.add_channel(parts, "a/n", TERMS | {"serves": "best"}, why),
        lambda: change.add_channel(parts, "a/n", TERMS | {"api_key": "x"}, why),
        lambda: change.add_channel(parts, "a/n", TERMS | {"needs": "nobility"}, why),
        lambda: change.add_channel(parts, "A/M".lower().upper(), TERMS, why),
        lambda: change.enable_channel(parts, "a/m", why._replace(reason="  "), enabled=False),
        lambda: change.enable_channel(parts, "a/m", why._replace(by=" "), enabled=False),
    ]

    for each in refused:
        with pytest.raises(ChannelSettingRefused):
            each()
    for unknown in ("z", "x"):
        with pytest.raises(UnknownChannel):
            change.allow_resale(parts, unknown, why, allowed=False)
    assert change.enable_channel(parts, "a/m", why, enabled=True) is None
    assert shop.ledger.channel_changes() == []


def test_the_providers_files_own_ban_is_not_lifted_here(shop: Shop):
    sell(shop, "a", resale=False)

    with pytest.raises(ChannelSettingRefused, match="providers file forbids"):
        change.allow_resale(shop.parts, "a", said(shop), allowed=True)


def sell(shop: Shop, name: str, **terms: Any) -> None:
    """As its providers file says."""
    shop.parts.channels.sellers[name] = seller(name, **terms)


async def test_an_added_channel_sells_in_every_process_once_it_has_a_price(shop: Shop, books: LedgerStore):
    other = Shop(ledger=books, markup=1_000)
    change.add_channel(shop.parts, "a/new", TERMS | {"serves": "shared"}, said(shop))
    assert other.parts.channels.refresh()
    with pytest.raises(ModelUnpriced):
        await other.pay("a/new")

    other.models["a/new"] = other.parts.models["a/new"]
    other.set_market()
    receipt = await other.receipt("a/new")

    assert (receipt.model, receipt.upstream, receipt.provider) == ("a/new", "new-1", "a")
    assert list_channels(shop.parts)["routed"][1]["state"] == "model_unpriced"
    change.remove_channel(shop.parts, "a/new", said(shop))
    assert "a/new" not in shop.parts.channels.listed


def test_what_was_added_of_a_provider_that_is_not_here_is_told_and_not_sold(shop: Shop, books: LedgerStore):
    sell(shop, "x")
    change.add_channel(shop.parts, "x/new", TERMS, said(shop))
    other = Shop(ledger=books)

    other.parts.channels.refresh()

    assert "x/new" not in other.parts.models
    assert "names no x" in list_channels(other.parts)["unusable"]["x/new"]


def test_of_two_who_change_the_same_at_once_one_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    change.set_multiplier(shop.parts, "a/m", 10, said(shop))
    seen = shop.ledger.channel_settings()
    change.set_multiplier(shop.parts, "a/m", 20, said(shop))
    monkeypatch.setattr(type(shop.ledger), "channel_settings", lambda _: seen)

    with pytest.raises(ChannelChangedMeanwhile):
        change.set_multiplier(shop.parts, "a/m", 30, said(shop))


def test_the_list_keeps_official_channels_and_routes_apart_and_says_what_each_lacks(shop: Shop):
    sell(shop, "z", kind=Kind.OFFICIAL)
    change.add_channel(shop.parts, "z/o", TERMS | {"serves": "shared"}, said(shop))
    change.enable_channel(shop.parts, "b/m", said(shop), enabled=False)
    _forbid(shop, "a")

    told = list_channels(shop.parts)

    assert [(each["channel"], each["state"], each["multiplier_bps"]) for each in told["official"]] == [
        ("z/o", "model_unpriced", 0)
    ]
    assert [(each["channel"], each["state"]) for each in told["routed"]] == [
        ("a/m", "resale_forbidden"),
        ("b/m", "channel_disabled"),
        ("c/m", "for_sale"),
    ]
    assert [(each["provider"], each["resale"], each["forbidden_by"]) for each in told["providers"]] == [
        ("a", False, ["the operator"]),
        ("b", True, []),
        ("c", True, []),
        ("z", None, []),
    ]


async def test_discovery_compares_and_changes_nothing(shop: Shop):
    shop.providers["a"].offered = ["a-1", "a-2"]
    shop.providers["b"].breaks_with = ProviderRefused("b", 401, b"")
    before = shop.parts.channels.listed

    a, b, _ = await discover_models(shop.parts)

    assert (a["new"], a["gone"], a["unpriced"], a["error"]) == (["a-2"], [], [], None)
    assert b["error"] is not None
    shop.providers["a"].offered = []
    [gone] = await discover_models(shop.parts, "a")
    assert gone["gone"] == ["a/m"]
    with pytest.raises(UnknownChannel):
        await discover_models(shop.parts, "zz")
    assert shop.parts.channels.listed is before
    assert shop.ledger.channel_changes() == []


def test_history_says_before_and_after_newest_first(shop: Shop):
    changed = change.set_multiplier(shop.parts, "a/m", 10, said(shop, "a discount"))
    shop.later(60)
    change.set_multiplier(shop.parts, "a/m", None, said(shop, "over"))
    _forbid(shop, "c")

    assert isinstance(changed, ChannelChange)
    rows = [(each["name"], each["before"], each["after"], each["reason"]) for each in list_changes(shop.parts, None, 9)]
    assert rows == [("c", None, False, "as agreed"), ("a/m", 10, None, "over"), ("a/m", None, 10, "a discount")]
    assert [each["revision"] for each in list_changes(shop.parts, "a/m", 1)] == [2]
    assert shop.ledger.channel_changes()[1].at - changed.at == timedelta(seconds=60)


async def test_a_name_none_of_whose_routes_may_answer_says_why_of_each(shop: Shop):
    change.enable_channel(shop.parts, "a/m", said(shop), enabled=False)
    for provider in ("b", "c"):
        _forbid(shop, provider)

    with pytest.raises(NoRoute) as caught:
        await shop.pay("shared")

    assert {route: type(why) for route, why in caught.value.rejected} == {
        "a/m": ChannelDisabled,
        "b/m": ResaleForbidden,
        "c/m": ResaleForbidden,
    }


async def test_with_every_route_forbidden_nothing_is_held(shop: Shop):
    for provider in shop.providers:
        _forbid(shop, provider)
    before = shop.balance

    for name in ("shared", "cheapest"):
        with pytest.raises((ResaleForbidden, NoRoute)):
            await shop.pay(name)

    assert (shop.balance, shop.asked(), shop.ledger.open_holds()) == (before, [], [])
