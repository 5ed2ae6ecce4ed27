"""A statement by app, and what one app sees of its holder's wallet."""

import json
from decimal import Decimal
from typing import Any

from tests.gateway.rig import Rig
from tests.wallet.browser import signed_in
from tests.wallet.keys import LOW_PICTURE, made_key

STATEMENT, ACTIVITY = "/v1/wallet/statement", "/v1/wallet/activity"


def test_three_apps_one_statement_each_by_its_name(gateway: Rig):
    holder = signed_in(gateway)
    apps = [made_key(holder, label=label) for label in ("Writer", "=Painter", "<b>Bot</b>")]
    for number, app in enumerate(apps):
        for _ in range(number + 1):
            assert gateway.chat(key=app["api_key"]).status_code == 200

    (wallet,) = holder.call("GET", STATEMENT).json()["wallets"]

    assert [(each["label"], each["requests"]) for each in wallet["by_key"]] == [
        ("<b>Bot</b>", 3), ("=Painter", 2), ("Writer", 1),
    ]  # fmt: skip
    assert {each["key"] for each in wallet["by_key"]} == {app["id"] for app in apps}
    assert sum(int(each["use_nanocredits"]) for each in wallet["by_key"]) == gateway.balance.captured
    assert ",'=Painter," in holder.call("GET", STATEMENT, params={"format": "csv"}).text
    page = holder.call("GET", STATEMENT, params={"format": "html"}).text
    assert "&lt;b&gt;Bot&lt;/b&gt;" in page
    assert "<b>Bot" not in page


def test_an_app_sees_what_it_did_and_no_other_apps_doings(gateway: Rig):
    holder = signed_in(gateway)
    ours, theirs = (made_key(holder, label=label) for label in ("ours", "theirs"))
    mine = gateway.chat(key=ours["api_key"]).headers["x-request-id"]
    other = gateway.chat(key=theirs["api_key"]).headers["x-request-id"]

    def get(path: str) -> Any:
        return gateway.get(path, key=ours["api_key"])

    assert get(STATEMENT).status_code == 403
    assert [line["request"] for line in get(ACTIVITY).json()["data"]] == [mine]
    assert [line["request"] for line in get(f"{ACTIVITY}?key={theirs['id']}").json()["data"]] == [mine]
    assert get(f"/v1/wallet/receipts/{mine}").json()["label"] == "ours"
    assert get(f"/v1/wallet/receipts/{other}").status_code == 404
    assert get(f"/v1/generation?id={mine}").status_code == 200
    assert get(f"/v1/generation?id={other}").status_code == 404
    assert holder.call("GET", f"/v1/wallet/receipts/{other}").json()["label"] == "theirs"
    assert {line.get("label") for line in holder.call("GET", ACTIVITY).json()["data"]} == {"ours", "theirs", None}


def test_the_holders_own_calendar_is_used_where_none_is_named(gateway: Rig):
    holder = signed_in(gateway)
    assert holder.call("PUT", "/v1/wallet/time-zone", json={"time_zone": "Asia/Kathmandu"}).is_success

    assert holder.call("GET", STATEMENT).json()["period"]["time_zone"] == "Asia/Kathmandu"
    assert holder.call("GET", STATEMENT, params={"time_zone": "UTC"}).json()["period"]["time_zone"] == "UTC"


def test_a_keys_limit_and_use_in_openrouters_form_are_its_own(gateway: Rig):
    holder = signed_in(gateway)
    limits = [{"period": "month", "usd": "20"}, {"period": "day", "usd": "1"}]
    made, other = made_key(holder, label="Painter", limits=limits), made_key(holder, label="unlimited")
    picture = {**LOW_PICTURE, "prompt": "x"}
    for key in (made, other, other):
        assert gateway.post("/v1/images/generations", key=key["api_key"], json=picture).status_code == 200

    def shown(key: dict[str, Any]) -> dict[str, Any]:
        answer = gateway.get("/v1/key", key=key["api_key"])
        return json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)["data"]

    mine = shown(made)
    each = Decimal("0.011")
    assert (mine["label"], mine["limit"], mine["limit_reset"]) == ("Painter", 1, "daily")
    assert (mine["limit_remaining"], mine["usage"], mine["usage_daily"]) == (1 - each, each, each)
    assert (shown(other)["limit"], shown(other)["limit_reset"]) == (90, None)
    assert (shown(other)["usage"], shown(other)["limit_remaining"]) == (2 * each, 90 - 3 * each)
