"""What an explanation costs: no more than a request does, however many routes there are."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from tests.gateway.rig import TOKEN, key_text
from tests.usecases.shop import Shop

from mintery.usecases import plan_request
from mintery.usecases.choose_route import Counter
from mintery.usecases.explain_route import MOST_QUOTED_BYTES, explain_route
from mintery.usecases.plan_request import MOST_SHAPED
from mintery.usecases.verify_credential import verify_credential

ROUTES = 60


@pytest.fixture
def shaped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Routes that a body was shaped for."""
    routes: list[str] = []
    shape = plan_request.shape_request

    def noted(model: Any, *rest: Any, **options: Any) -> Any:
        routes.append(model.id)
        return shape(model, *rest, **options)

    monkeypatch.setattr(plan_request, "shape_request", noted)
    return routes


def explain(shop: Shop, **fields: object) -> Mapping[str, Any]:
    credential = verify_credential(shop.parts, shop.market, key_text(), None)
    counter = Counter(shop.parts, shop.market, shop.market.projects[TOKEN], credential.account)
    body = {"model": "shared", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50, **fields}
    return explain_route(counter, None, body, size=len(orjson.dumps(body)))


def test_of_many_routes_only_so_many_are_priced_and_all_are_told(shaped: list[str]):
    shop = Shop(usd={f"p{number:02}": (1_000_000 + number, 2_000_000) for number in range(ROUTES)})

    told = explain(shop)

    assert len(shaped) == MOST_SHAPED
    assert len(told["runners_up"]) == ROUTES - 1
    assert told["rejected"] == []
    priced = [route["max_cost_nanocredits"] is not None for route in told["runners_up"]]
    assert priced == sorted(priced, reverse=True)
    assert sum(priced) == MOST_SHAPED - 1


def test_routes_that_refuse_count_as_well(shaped: list[str]):
    shop = Shop(usd={f"p{number:02}": (1_000_000 + number, 2_000_000) for number in range(ROUTES)})

    told = explain(shop, tools="none")

    assert len(shaped) == MOST_SHAPED
    assert (told["chosen"], len(told["rejected"])) == (None, MOST_SHAPED)


def test_a_long_body_is_priced_for_those_alone_that_would_be_called(shaped: list[str]):
    shop = Shop(usd={f"p{number:02}": (1_000_000 + number, 2_000_000) for number in range(ROUTES)})

    told = explain(shop, user="x" * MOST_QUOTED_BYTES)

    assert len(shaped) == plan_request.MOST_LEGS
    assert len(told["runners_up"]) == ROUTES - 1
