"""What settings make of channels, and that a multiplier never burns more than the vault allows nor pays providers less."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mintery.domain.channel import (
    ChannelSettings,
    Scope,
    Setting,
    Subject,
    channels_of,
    markup_of,
    settings_of,
    value_text,
)
from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.project import Project
from mintery.domain.voucher import Address, Kind
from mintery.units import (
    MAX_PAR,
    MIN_PAR,
    ONE_IN_BPS,
    BasisPoints,
    NanoCredits,
    Par,
    UsdWad,
    assets_down,
    assets_of_usd_down,
    credit_units,
    nanocredits_up,
)

NOBODY = Address("0x" + "00" * 20)
ACME = Model(
    "acme/small", "small", "acme", 1, Kind.ROUTED, Endpoint.CHAT, frozenset({Unit.INPUT_TOKEN}), 9, 9, serves="small"
)
GLOBEX = replace(ACME, id="globex/small", provider="globex")
INITECH = replace(ACME, id="initech/small", provider="initech", resale=False)
FILE = {each.id: each for each in (ACME, GLOBEX, INITECH)}


def set_to(scope: Scope, name: str, setting: Setting, value: object) -> ChannelSettings:
    return settings_of([(Subject(scope, name, setting), value_text(value))])


def project(markup: int, kind: Kind = Kind.ROUTED) -> Project:
    return Project(NOBODY, "P", "P", NOBODY, Par(10**6), BasisPoints(markup), kind, frozenset({1}))


def test_without_settings_the_providers_file_is_all_there_is():
    channels = channels_of(FILE, {}, settings_of([]))

    assert channels.listed == channels.for_sale == FILE
    assert channels.listed[ACME.id] is ACME


def test_what_was_switched_off_is_listed_and_what_was_removed_is_not():
    off = channels_of(FILE, {}, set_to(Scope.CHANNEL, ACME.id, Setting.ENABLED, False))
    gone = channels_of(FILE, {}, set_to(Scope.CHANNEL, ACME.id, Setting.TERMS, False))
    back = channels_of(FILE, {}, set_to(Scope.CHANNEL, ACME.id, Setting.TERMS, None))

    assert (ACME.id in off.listed, ACME.id in off.for_sale) == (True, False)
    assert (ACME.id in gone.listed, ACME.id in gone.for_sale) == (False, False)
    assert back.for_sale == FILE


@pytest.mark.parametrize(("said", "sold_on"), [(False, [False, True, False]), (True, [True, True, False])])
def test_resale_is_a_providers_and_what_the_file_forbids_stays_forbidden(said: bool, sold_on: list[bool]):
    both = settings_of(
        (Subject(Scope.PROVIDER, name, Setting.RESALE), value_text(said)) for name in ("acme", "initech")
    )

    channels = channels_of(FILE, {}, both)

    assert [channels.for_sale[each].sold_on for each in FILE] == sold_on


def test_the_first_of_an_order_is_the_primary_and_those_it_leaves_out_come_last():
    order = set_to(Scope.NAME, "routed:small", Setting.ORDER, [GLOBEX.id, ACME.id])

    official = replace(ACME, id="official/small", kind=Kind.OFFICIAL)
    assert channels_of({official.id: official}, {}, order).listed[official.id].backup == 0, "they pay for no other kind"
    assert {name: each.backup for name, each in channels_of(FILE, {}, order).listed.items()} == {
        GLOBEX.id: 0,
        ACME.id: 1,
        INITECH.id: 2,
    }


@pytest.mark.parametrize(
    ("markup", "multiplier", "paid"), [(500, None, 500), (500, 200, 200), (500, 0, 0), (500, 900, 500), (0, 200, 0)]
)
def test_a_multiplier_lowers_a_markup_and_never_raises_it(markup: int, multiplier: int | None, paid: int):
    model = replace(ACME, multiplier=None if multiplier is None else BasisPoints(multiplier))

    assert markup_of(project(markup), model) == paid


def test_official_channels_pass_prices_through_whatever_is_set():
    official = replace(ACME, kind=Kind.OFFICIAL, multiplier=BasisPoints(300))

    assert markup_of(project(500, Kind.OFFICIAL), official) == 0


REQUESTS = st.lists(st.tuples(st.integers(1, 10**22), st.integers(0, 10_000)), min_size=1, max_size=20)


@settings(max_examples=200)
@given(requests=REQUESTS, markup=st.integers(0, 10_000), par=st.integers(MIN_PAR, MAX_PAR))
def test_a_batch_of_any_multipliers_burns_within_s5_and_backs_what_its_providers_are_due(
    requests: list[tuple[int, int]], markup: int, par: int
):
    """As ``ReserveVault.settle`` counts them: one nanocredit of rounding for each request."""
    usd = sum(cost for cost, _ in requests)
    burned = credit_units(
        NanoCredits(
            sum(
                nanocredits_up(UsdWad(cost), Par(par), markup_of(project(markup), replace(ACME, multiplier=bps)))
                for cost, bps in requests
            )
        )
    )

    limit = usd * 10**6 * (ONE_IN_BPS + markup) // (par * ONE_IN_BPS) + len(requests) * 10**9
    assert burned <= limit
    assert assets_down(burned, Par(par)) >= assets_of_usd_down(UsdWad(usd))
