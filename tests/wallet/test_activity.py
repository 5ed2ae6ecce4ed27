"""What happened last in the holder's wallets, and one request before and after."""

import re
import threading
from typing import Any

import httpx2
import orjson
import pytest
from tests.gateway.rig import HOLDER, OTHER_TOKEN, Rig, key_text, private_key
from tests.wallet.browser import signed_in
from typer.testing import CliRunner

from mintery.cli.app import app
from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import account_id
from mintery.domain.receipt import check_arithmetic, parse_receipt
from mintery.domain.voucher import AccountKey
from mintery.usecases import show_activity

PATH = "/v1/wallet/activity"


def read(gateway: Rig, **query: Any) -> httpx2.Response:
    return gateway.get(PATH, params=query)


def use(gateway: Rig, calls: int) -> list[str]:
    """The requests' ids, oldest first."""
    return [gateway.chat(text="word " * (number + 1)).headers["x-request-id"] for number in range(calls)]


def test_pages_go_on_where_the_last_one_ended_and_leave_nothing_out(gateway: Rig):
    made = use(gateway, 5)
    seen, cursor = [], None
    for _ in range(9):
        page = read(gateway, limit=2, **({} if cursor is None else {"cursor": cursor})).json()
        seen += page["data"]
        assert len(page["data"]) <= 2
        if (cursor := page["next"]) is None:
            break

    assert [line.get("request") for line in seen] == [*reversed(made), None]
    assert (seen[-1]["kind"], seen[-1]["change_credits"]) == ("top_up", "100")
    assert all(line["change_nanocredits"].startswith("-") for line in seen[:-1])


def test_what_comes_meanwhile_shifts_no_page(plain: Rig):
    made = use(plain, 3)
    first = read(plain, limit=2).json()
    later = use(plain, 2)

    second = read(plain, limit=9, cursor=first["next"]).json()

    assert [line.get("request") for line in second["data"]] == [made[0], None]
    assert [line["request"] for line in read(plain, limit=2).json()["data"]] == later[::-1]


def test_only_what_is_wanted_is_shown_however_far_back(gateway: Rig, monkeypatch: pytest.MonkeyPatch):
    gateway.post("/v1/embeddings", json={"model": "test/embed", "input": "a"})
    use(gateway, 4)
    monkeypatch.setattr(show_activity, "MOST_LOOKED_AT", 2)

    found, cursor, pages = [], None, 0
    while pages < 9:
        page = read(gateway, model="test/embed", **({} if cursor is None else {"cursor": cursor})).json()
        found += page["data"]
        pages += 1
        if (cursor := page["next"]) is None:
            break

    assert [line["model"] for line in found] == ["test/embed"]
    assert pages == 3
    assert [line["kind"] for line in read(gateway, kind="top_up").json()["data"]] == []
    monkeypatch.undo()
    assert [line["kind"] for line in read(gateway, kind="top_up").json()["data"]] == ["top_up"]
    assert len(read(gateway, wallet="routed").json()["data"]) == 6
    assert read(gateway, wallet="official").json()["data"] == []
    key = found[0]["key"]
    assert {line["key"] for line in read(gateway, key=key).json()["data"]} == {key}


def test_what_is_under_way_is_told_and_then_what_it_cost(plain: Rig):
    caller = threading.Thread(target=plain.chat, args=("test/slow",))
    caller.start()
    try:
        assert plain.settled(lambda: read(plain).json()["running"] != [])
        (running,) = read(plain).json()["running"]
        detail = plain.get(f"/v1/wallet/receipts/{running['request']}").json()
        assert (detail["status"], detail["after"]) == ("dispatched", None)
        assert detail["before"]["most_nanocredits"] == running["held_nanocredits"]
        assert "charged_nanocredits" not in detail
    finally:
        plain.stub.control.go_on.set()
        caller.join()

    assert read(plain).json()["running"] == []
    ended = plain.get(f"/v1/wallet/receipts/{running['request']}").json()
    assert ended["status"] in {"captured", "released"}


def test_a_request_is_told_before_and_after(plain: Rig):
    (request,) = use(plain, 1)

    detail = plain.get(f"/v1/wallet/receipts/{request}?time_zone=Asia/Tokyo").json()

    assert detail["at"].endswith("+09:00")
    assert (detail["status"], detail["wallet"], detail["symbol"]) == ("captured", "routed", "PROJECTX_AI_CREDITS")
    receipt = parse_receipt(detail["after"])
    check_arithmetic(receipt)
    assert receipt.signature is not None
    assert detail["charged_nanocredits"] == str(receipt.cost)
    assert 0 < receipt.cost <= int(detail["before"]["most_nanocredits"]) == receipt.held
    pinned = {line["sku"]: line["unit_price_usd_wad"] for line in detail["before"]["most_used"]}
    assert {str(line.sku): str(line.unit_price) for line in receipt.lines}.items() <= pinned.items()


def test_a_request_that_failed_cost_nothing_and_has_no_receipt(plain: Rig):
    request = plain.chat("test/fails").headers["x-request-id"]

    detail = plain.get(f"/v1/wallet/receipts/{request}").json()

    assert (detail["status"], detail["after"]) == ("released", None)


def test_a_page_that_says_nothing_new_is_not_sent_again(plain: Rig):
    use(plain, 1)
    first = read(plain)
    again = {"Authorization": f"Bearer {key_text()}", "If-None-Match": first.headers["etag"]}

    assert plain.http.get(plain.base_url + PATH, headers=again).status_code == 304
    use(plain, 1)
    assert plain.http.get(plain.base_url + PATH, headers=again).status_code == 200


def test_each_sees_what_is_theirs(plain: Rig):
    (request,) = use(plain, 1)
    plain.fund(3, token=OTHER_TOKEN)
    other, stranger = key_text(token=OTHER_TOKEN), signed_in(plain, private_key(55))

    assert len(signed_in(plain).call("GET", PATH).json()["data"]) == 3
    assert [line["symbol"] for line in plain.get(PATH, key=other).json()["data"]] == ["OTHER"]
    assert plain.get(f"/v1/wallet/receipts/{request}", key=other).status_code == 404
    assert stranger.call("GET", PATH).json()["data"] == []
    assert stranger.call("GET", f"/v1/wallet/receipts/{request}").status_code == 404
    assert account_id(AccountKey(OTHER_TOKEN, plain.account.gateway, HOLDER.address, HOLDER.address)) in {
        account.id for account in plain.ledger.accounts(holder=HOLDER.address)
    }


@pytest.mark.parametrize(
    "query",
    [{"cursor": "1"}, {"cursor": "x-0-1"}, {"cursor": "1-2-1"}, {"limit": 0}, {"limit": 201}, {"kind": "gift"}],
)
def test_what_no_page_gave_is_refused(plain: Rig, query: dict[str, Any]):
    assert read(plain, **query).status_code in {400, 422}


def test_a_place_is_its_readers_own_and_tells_nothing(plain: Rig):
    """A made-up place would tell how many lines others have before it, and a page's own when another app's was."""
    use(plain, 3)
    cursor = read(plain, limit=1).json()["next"]

    assert read(plain, limit=1, cursor=cursor).status_code == 200
    assert re.search(r"[0-9]{6}", cursor) is None
    assert read(plain, cursor="1795262400000000-1-1").status_code == 400
    stranger = signed_in(plain, PrivateKey.generate())
    assert stranger.call("GET", f"{PATH}?cursor={cursor}").json()["error"]["code"] == "malformed_request"


def test_the_command_line_shows_it(plain: Rig):
    (request,) = use(plain, 1)
    common = ["--url", plain.base_url + "/v1", "--api-key", key_text()]

    told = CliRunner().invoke(app, ["activity", *common])
    assert told.exit_code == 0
    assert request in told.stdout
    assert "top up" in told.stdout
    told = CliRunner().invoke(app, ["activity", *common, "--limit", "1", "--json"])
    assert [line["request"] for line in orjson.loads(told.stdout)["data"]] == [request]

    told = CliRunner().invoke(app, ["activity", request, *common])
    assert told.exit_code == 0
    assert "at most" in told.stdout
    told = CliRunner().invoke(app, ["activity", request, *common, "--json"])
    assert parse_receipt(orjson.loads(told.stdout)["after"]).id == request
