import pytest

from mintery.domain.membership import Offer, Period, Seller, Standing
from mintery.domain.rates import Rates
from mintery.domain.voucher import Kind
from mintery.errors import MalformedFile, MembershipNotSold, UnknownMembership
from mintery.providers.config import parse_offers, parse_providers

GATEWAY = """
[gateway]
requests_per_minute = 60

[[gateway.sellers]]
name = "mintery"
registry_id = 2
kind = "routed"

[[gateway.memberships]]
name = "pro"
sold_by = ["month", "request"]
requests_per_minute = 600
priority = 1

[[gateway.memberships]]
name = "priority"
sold_by = ["request"]
priority = 2
"""
PROVIDERS = """
[[providers]]
name = "acme"
registry_id = 1
kind = "routed"
base_url = "https://api.acme.example/v1"

[[providers.models]]
id = "acme/large"
units = ["input_token", "output_token"]
max_output_tokens = 4096
context_tokens = 32768
needs = "pro"
"""


def test_what_the_gateway_sells_of_itself_is_read_from_the_providers_file():
    offers = parse_offers(PROVIDERS + GATEWAY, toml=True)
    [config] = parse_providers(PROVIDERS + GATEWAY, {}, toml=True)

    assert config.models[0].needs == "pro"
    assert offers.sellers == (Seller("mintery", 2, Kind.ROUTED),)
    assert offers.without == Standing(rates=Rates(60, None))
    both = frozenset({Period.MONTH, Period.REQUEST})
    assert offers.offers == {
        "pro": Offer("pro", both, Rates(600, None), 1),
        "priority": Offer("priority", frozenset({Period.REQUEST}), Rates(60, None), 2),
    }
    assert {str(sku) for fee in offers.fees for sku in fee.skus} == {
        "mintery/membership.pro:month",
        "mintery/pro:request",
        "mintery/priority:request",
    }
    with pytest.raises(MembershipNotSold):
        offers.fee(Kind.ROUTED, "priority", Period.MONTH)
    with pytest.raises(MembershipNotSold):
        offers.fee(Kind.OFFICIAL, "pro", Period.MONTH)
    with pytest.raises(UnknownMembership):
        offers.fee(Kind.ROUTED, "gold", Period.MONTH)


def test_a_file_without_it_sells_nothing_and_limits_nobody():
    offers = parse_offers(PROVIDERS.replace('needs = "pro"', ""), toml=True)

    assert (offers.fees, offers.without.rates.limited) == ((), False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (PROVIDERS, "acme/large needs pro"),
        (PROVIDERS + GATEWAY.replace('name = "mintery"', 'name = "acme"'), "the seller acme is the provider acme"),
        (PROVIDERS + GATEWAY.replace("registry_id = 2", "registry_id = 1"), "the seller mintery is the provider acme"),
        (PROVIDERS + GATEWAY.replace('name = "priority"', 'name = "pro"'), "membership pro is there twice"),
        (PROVIDERS + GATEWAY.replace('sold_by = ["request"]', "sold_by = []"), "sold_by"),
        (PROVIDERS + GATEWAY.replace("requests_per_minute = 60\n", "requests_per_minute = 0\n"), "requests_per_minute"),
        (PROVIDERS + GATEWAY.replace("[[gateway.sellers]]", "[[gateway.sold]]"), "gateway.sold"),
        (
            PROVIDERS + GATEWAY.replace('[[gateway.sellers]]\nname = "mintery"\nregistry_id = 2\nkind = "routed"', ""),
            "memberships need gateway.sellers",
        ),
        (
            PROVIDERS + GATEWAY + '[[gateway.sellers]]\nname = "m2"\nregistry_id = 3\nkind = "routed"\n',
            "kind routed is there twice",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(text: str, why: str):
    with pytest.raises(MalformedFile, match=why):
        parse_providers(text, {}, toml=True)
