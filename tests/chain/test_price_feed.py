"""A SKU's price for contracts that know nothing of ours but AggregatorV3."""

from typing import Any

import pytest

from mintery.chain.abi import Abi
from mintery.chain.deployment import load_deployment
from mintery.chain.price_feed import Round, find_feed, place_feed
from mintery.chain.rpc import Call
from mintery.errors import TransactionReverted
from mintery.units import UsdWad

SKU = "acme/sdxl:image"
PRICE = UsdWad(2 * 10**15)
AGGREGATOR_V3 = Abi.of(
    [
        {
            "type": "function",
            "name": "latestRoundData",
            "inputs": [],
            "outputs": [
                {"name": name, "type": kind}
                for name, kind in (
                    ("roundId", "uint80"),
                    ("answer", "int256"),
                    ("startedAt", "uint256"),
                    ("updatedAt", "uint256"),
                    ("answeredInRound", "uint80"),
                )
            ],
        },
        {"type": "function", "name": "decimals", "inputs": [], "outputs": [{"name": "", "type": "uint8"}]},
    ]
)
"""As the standard's consumers have it: written out here, not read from our artifact."""


def test_a_feed_stands_where_it_was_foretold_and_answers_as_aggregators_do(world: Any):
    deployment = load_deployment(world.path)
    sku = world.contracts.oracle.sku_of(SKU)
    foretold, stood = find_feed(world.rpc, deployment, sku)

    place_feed(world.provider, deployment, sku)
    feed, stands = find_feed(world.rpc, deployment, sku)
    again = place_feed(world.provider, deployment, sku)

    assert (stood, stands) == (False, True)
    assert feed.address == foretold.address
    assert again.logs == ()
    assert feed.description() == "acme/sdxl:image / USD"
    asked = Call("", feed.address, AGGREGATOR_V3.encode_call("latestRoundData"))
    round_, answer, started, updated, answered_in = AGGREGATOR_V3.functions["latestRoundData"].decode_outputs(
        world.rpc.call(asked)
    )
    refreshed = world.contracts.oracle.refreshed_at(sku)
    price = world.contracts.oracle.price_of(sku, 1)
    assert (round_, answer, started, updated, answered_in) == (1, PRICE, price.since, refreshed, 1)


def test_a_round_is_a_version_and_one_that_never_was_reverts(world: Any):
    deployment = load_deployment(world.path)
    sku = world.contracts.oracle.sku_of(SKU)
    place_feed(world.provider, deployment, sku)
    feed, _ = find_feed(world.rpc, deployment, sku)
    first = feed.latest_round()
    world.report({sku: UsdWad(PRICE * 21 // 20)})

    latest = feed.latest_round()

    assert (latest.id, latest.usd) == (2, PRICE * 21 // 20)
    assert feed.round(1) == Round(1, PRICE, first.started_at, first.started_at)
    for missing in (0, 3, 2**32 + 1):
        with pytest.raises(TransactionReverted, match="UnknownRound"):
            feed.round(missing)


def test_a_feed_of_no_sku_is_not_deployed(world: Any):
    with pytest.raises(TransactionReverted, match="UnknownSku"):
        place_feed(world.provider, load_deployment(world.path), 99)
