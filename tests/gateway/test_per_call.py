"""What one call may buy: a model kept for members, and a place further ahead in the queue."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from tests.gateway.members import PRICES, members_rig
from tests.gateway.rig import CREDIT, OTHER_TOKEN, PROVIDER_ID, TOKEN, Rig, key_text, private_key

from mintery.domain.receipt import check_arithmetic
from mintery.units import parse_usd
from mintery.usecases.parts import GatewayLimits

FRIEND, MEMBER = private_key(107), private_key(108)
SLOW = {"model": "test/slow", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 20}
BUYS = {"Mintery-Membership": "pro"}
FEE = parse_usd(PRICES["mintery/pro:request"]) // 10**9
"""In nanocredits, as a credit is a dollar here."""
FEE_OF_PRIORITY = parse_usd(PRICES["mintery/priority:request"]) // 10**9


@pytest.fixture
def members(tmp_path: Path):
    with members_rig(tmp_path) as running:
        yield running


def receipt_of(gateway: Rig, answer: object):
    record = gateway.ledger.receipt(answer.headers["x-mintery-receipt"])
    assert record is not None
    return record.receipt


def test_a_model_kept_for_members_is_refused_with_how_to_become_one(members: Rig):
    refused = members.chat("test/premium")

    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["membership"]) == (403, "membership_needed", "pro")
    assert error["sold_by"] == ["request", "month"]
    assert refused.headers["x-should-retry"] == "false"
    assert members.stub.control.requests == 0
    assert members.untouched()


def test_one_call_of_it_is_bought_with_the_call_and_charged_on_its_receipt(members: Rig):
    body = {"model": "test/premium", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 50}
    quote = members.post("/v1/quote", json=body, headers=BUYS).json()
    plain, bought = members.chat("test/plain"), members.chat("test/premium", headers=BUYS)

    receipt = receipt_of(members, bought)
    check_arithmetic(receipt)
    fees = [line for line in receipt.lines if line.sku.provider == "mintery"]
    assert [(str(line.sku), line.quantity, line.provider_id) for line in fees] == [("mintery/pro:request", 1, 9)]
    assert receipt.cost == receipt_of(members, plain).cost + FEE
    assert quote["max_cost_nanocredits"] == bought.headers["x-mintery-quote-nanocredits"]
    assert quote["memberships"] == ["pro"]
    assert quote["lines"][-1]["sku"] == "mintery/pro:request"
    assert members.balance.captured == receipt.cost + receipt_of(members, plain).cost


def test_a_stream_and_a_price_with_a_fee_cost_what_the_quote_bounds(members: Rig):
    streamed = members.chat("test/premium", headers=BUYS, stream=True)

    receipt = receipt_of(members, streamed)
    assert receipt.stream
    assert [str(line.sku) for line in receipt.lines][-1] == "mintery/pro:request"
    assert receipt.cost <= int(streamed.headers["x-mintery-quote-nanocredits"])


def test_where_the_provider_fails_the_fee_is_not_charged_either(members: Rig):
    failed = members.chat("test/fails", headers=BUYS)

    assert failed.status_code == 502
    assert members.untouched()


def test_a_shared_name_leaves_what_is_kept_for_members_to_them(members: Rig):
    for_all, for_members = members.chat("good"), members.chat("good", headers=BUYS)
    explained = members.post(
        "/v1/route/explain", json={"model": "good", "messages": [{"role": "user", "content": "hi"}]}
    ).json()

    assert (for_all.headers["x-mintery-route"], for_members.headers["x-mintery-route"]) == (
        "test/plain",
        "test/premium",
    )
    assert [(each["route"], each["code"]) for each in explained["rejected"]] == [("test/premium", "membership_needed")]


@pytest.mark.parametrize(("name", "code"), [("gold", "unknown_membership"), ("", "unknown_membership")])
def test_what_is_not_sold_is_not_bought(members: Rig, name: str, code: str):
    refused = members.chat(headers={"Mintery-Membership": name})

    assert (refused.status_code, refused.json()["error"]["code"]) == (404, code)
    assert members.untouched()


def test_credits_whose_terms_do_not_name_the_gateway_buy_nothing_of_it(members: Rig):
    project = replace(members.market.projects[TOKEN], providers=frozenset({PROVIDER_ID}))
    members.market = replace(members.market, projects={**members.market.projects, TOKEN: project})

    refused = members.chat(headers=BUYS)

    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_covered")
    assert refused.json()["error"]["model"] == "mintery/pro"


def test_each_kind_of_credits_pays_its_own_fee(members: Rig):
    members.fund(10, token=OTHER_TOKEN)

    official = members.chat("test/official", key=key_text(token=OTHER_TOKEN), headers=BUYS)

    receipt = receipt_of(members, official)
    assert [str(line.sku) for line in receipt.lines][-1] == "mintery-official/pro:request"
    assert members.untouched()


@pytest.fixture
def full(tmp_path: Path):
    """Answers one request at once, and lets eight wait for two seconds."""
    limits = GatewayLimits(in_flight=1, in_flight_per_account=1, waiting=8, wait_seconds=5)
    with members_rig(tmp_path, limits=limits) as running:
        for signer in (FRIEND, MEMBER):
            running.fund(10, signer=signer)
        yield running


def test_who_buys_priority_is_answered_first_and_nobody_is_refused(full: Rig):
    def send(signer: object, **headers: str) -> tuple[float, int]:
        status = full.chat(key=key_text(signer=signer), headers=headers).status_code
        return time.monotonic(), status

    def waiting() -> float:
        return full.parts.registry.get_sample_value("mintery_requests_waiting")

    with ThreadPoolExecutor(3) as pool:
        running = pool.submit(full.post, "/v1/chat/completions", json=SLOW)
        assert full.settled(lambda: full.stub.control.requests == 1)
        friend = pool.submit(send, FRIEND)
        assert full.settled(lambda: waiting() == 1)
        member = pool.submit(send, MEMBER, **{"Mintery-Membership": "priority"})
        assert full.settled(lambda: waiting() == 2)
        full.stub.control.go_on.set()
        (friends, first), (members_, second) = friend.result(), member.result()

    assert (running.result().status_code, first, second) == (200, 200, 200)
    assert members_ < friends
    assert full.parts.registry.get_sample_value("mintery_requests_waited_total") == 2


@pytest.mark.parametrize("funds", [0, FEE_OF_PRIORITY - 1])
def test_who_cannot_pay_for_priority_pushes_nobody_out_of_the_queue(tmp_path: Path, funds: int):
    stranger = private_key(109)
    limits = GatewayLimits(in_flight=1, in_flight_per_account=1, waiting=1, wait_seconds=20)
    with members_rig(tmp_path, limits=limits) as full, ThreadPoolExecutor(2) as pool:
        full.fund(10, signer=FRIEND)
        if funds:
            full.fund(Fraction(funds, CREDIT), signer=stranger)
        running = pool.submit(full.post, "/v1/chat/completions", json=SLOW)
        assert full.settled(lambda: full.stub.control.requests == 1)
        friend = pool.submit(full.chat, key=key_text(signer=FRIEND))
        waiting = "mintery_requests_waiting"
        assert full.settled(lambda: full.parts.registry.get_sample_value(waiting) == 1)
        refused = full.chat(key=key_text(signer=stranger), headers={"Mintery-Membership": "priority"})
        full.stub.control.go_on.set()

        assert (running.result().status_code, friend.result().status_code) == (200, 200)
        assert refused.json()["error"]["code"] == "overloaded"


def test_a_client_that_left_while_it_waited_pays_nothing(full: Rig):
    body = b'{"model":"test/echo","messages":[{"role":"user","content":"hi"}],"max_tokens":5}'
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key_text(signer=FRIEND)}\r\n"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(full.post, "/v1/chat/completions", json=SLOW)
        assert full.settled(lambda: full.stub.control.requests == 1)
        host, _, port = full.base_url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as left:
            left.sendall(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
            value = full.parts.registry.get_sample_value
            assert full.settled(lambda: value("mintery_requests_waiting") == 1)
        full.stub.control.go_on.set()
        assert running.result().status_code == 200
    assert full.settled(lambda: value("mintery_requests_waiting") == 0)

    assert full.chat(key=key_text(signer=MEMBER)).status_code == 200
    assert full.stub.control.requests == 2
    assert [each.captured for each in full.ledger.accounts(holder=FRIEND.address)] == [0]
    assert full.ledger.accounts(holder=FRIEND.address)[0].available == 10 * CREDIT
