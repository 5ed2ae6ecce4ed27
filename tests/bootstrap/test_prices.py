"""Prices as they turn, in a whole Mintery: what doubles, what goes stale, and what stays pinned, to the last unit on the chain."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mintery.bootstrap import LocalStack, start_local_stack
from mintery.bootstrap.price_sources import LOCAL_PRICES, PRICES_FILE
from mintery.chain.terms import Terms
from mintery.cli.commands import price
from mintery.crypto.vouchers import account_id
from mintery.domain.voucher import AccountKey, Kind
from mintery.providers.stub_answers import Behaviour
from mintery.settings import load_settings
from mintery.units import (
    BasisPoints,
    CreditUnits,
    NanoCredits,
    Par,
    UnixSeconds,
    credit_units,
    parse_assets,
    parse_credits,
    parse_usd,
)
from mintery.usecases.deposit_credits import deposit_credits
from mintery.usecases.issue_voucher import issue_voucher
from mintery.usecases.mint_credits import mint_credits
from mintery.usecases.open_project import open_project
from mintery.usecases.redeem_credits import redeem_credits

HARD_STALE_SECONDS = 6 * 3_600 + 60
BODY = {"model": "test/chat", "messages": [{"role": "user", "content": "count to three"}], "max_tokens": 50}


class Shop:
    """A stack whose jobs run, an account in it, and the file that its reporters read."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.file = stack.directory / PRICES_FILE
        chain, self.holder = stack.chain, stack.chain.sender(stack.key("holder"))
        terms = Terms(
            name="Project X AI Credits",
            symbol="PROJECTX_AI_CREDITS",
            par=Par(1_000_000),
            markup=BasisPoints(0),
            fee_recipient=self.holder.address,
            public_mint=True,
            kind=Kind.ROUTED,
            providers=(1,),
            allowlist=False,
            mint_cap=parse_credits("1000000"),
            payout_cap=parse_assets("100000"),
        )
        self.token = open_project(chain, self.holder, terms).token
        mint_credits(chain, self.holder, self.token, parse_credits("100"), to=self.holder.address)
        self.account = AccountKey(self.token, stack.gateway.address, self.holder.address, self.holder.address)
        deposit_credits(chain, self.holder, self.account, parse_credits("50"))
        voucher = issue_voucher(
            chain.domain,
            stack.key("holder"),
            self.account,
            epoch=0,
            max_spend=parse_credits("50"),
            deadline=UnixSeconds(int(time.time()) + 30 * 86_400),
        )
        self.http = httpx2.Client(
            base_url=stack.gateway_url, headers={"Authorization": f"Bearer {voucher.text}"}, timeout=60
        )
        self.until(lambda: self.http.get("/v1/credits").json().get("spendable_credits") == "50")

    def write(self, prices: dict[str, str]) -> None:
        """As an operator would, in one step: a reader never sees half a file."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps({"format": "mintery-prices-1", "prices": prices}))
        fresh.replace(self.file)

    def ask(self) -> httpx2.Response:
        return self.http.post("/v1/chat/completions", json=BODY)

    def receipt(self, answer: httpx2.Response) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get("/v1/receipts/" + answer.headers["x-mintery-receipt"]).json()
        return found

    def states(self) -> set[str]:
        health = self.http.get("/healthz").json()
        return {state for sku, state in health["skus"].items() if sku.startswith("test/chat")}

    def supply(self) -> CreditUnits:
        return self.stack.chain.token(self.token).total_supply()

    def settled(self) -> NanoCredits:
        return self.stack.gateway.ledger.spent_settled(account_id(self.account))

    def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.http.get("/healthz").text
            time.sleep(0.05)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    settings = load_settings(
        home=tmp_path_factory.mktemp("home"),
        port=0,
        sync_interval=0.2,
        market_interval=0.2,
        settlement_interval=0.5,
        price_interval=0.2,
    )
    with start_local_stack(settings) as stack:
        opened = Shop(stack)
        with closing(opened.http):
            yield opened


def test_a_doubled_price_doubles_the_burn_in_receipts_and_on_chain_and_what_is_in_flight_stays_pinned(shop: Shop):
    supply = shop.supply()
    once = shop.receipt(shop.ask())
    shop.until(lambda: shop.settled() == int(once["cost_nanocredits"]))
    burned_once = supply - shop.supply()
    shop.stack.stub.control.behaviour = Behaviour.SLOW
    answers: list[httpx2.Response] = []
    asking = threading.Thread(target=lambda: answers.append(shop.ask()))
    asking.start()
    shop.until(lambda: len(shop.stack.gateway.ledger.open_holds()) == 1)

    shop.write({sku: usd if sku == "asset:usd" else doubled(usd) for sku, usd in LOCAL_PRICES.items()})
    shop.until(lambda: shop.states() == {"queued"})
    shop.until(lambda: versions(shop) == {2})
    shop.stack.stub.control.go_on.set()
    asking.join()
    pinned = shop.receipt(answers[0])
    shop.stack.stub.control.behaviour = None
    twice = shop.receipt(shop.ask())
    charged = sum(int(receipt["cost_nanocredits"]) for receipt in (once, pinned, twice))
    shop.until(lambda: shop.settled() == charged)

    assert usage(once) == usage(pinned) == usage(twice)
    assert [receipt["cost_nanocredits"] for receipt in (pinned, twice)] == [
        once["cost_nanocredits"],
        str(2 * int(once["cost_nanocredits"])),
    ]
    assert [{line["price_version"] for line in each["usage"]} for each in (once, pinned, twice)] == [{1}, {1}, {2}]
    assert burned_once == credit_units(NanoCredits(int(once["cost_nanocredits"])))
    assert supply - shop.supply() == 4 * burned_once
    assert shop.stack.gateway.alarms.standing() == ()


def test_all_stale_sells_nothing_still_redeems_and_recovers_without_a_restart(shop: Shop):
    shop.until(lambda: shop.ask().status_code == 200)
    written = shop.file.read_text()
    shop.file.unlink()
    shop.stack.chain.rpc.request("evm_increaseTime", hex(HARD_STALE_SECONDS))
    shop.stack.chain.rpc.request("evm_mine")
    shop.until(lambda: shop.states() == {"hard_stale"})

    refused = shop.ask()
    before = shop.stack.chain.asset.balance_of(shop.holder.address)
    redeemed = redeem_credits(shop.stack.chain, shop.holder, shop.token, parse_credits("10"), min_assets=None)

    health = shop.http.get("/healthz")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "price_stale")
    assert refused.headers["retry-after"] == "60"
    assert (health.status_code, health.json()["state"]) == (503, "hard_stale")
    assert "No such file" in health.json()["why"]["test/chat:input_token"]
    assert redeemed.assets == parse_assets("10")
    assert shop.stack.chain.asset.balance_of(shop.holder.address) == before + parse_assets("10")

    shop.file.write_text(written)
    shop.until(lambda: shop.ask().status_code == 200)
    assert shop.states() == {"normal"}
    assert shop.http.get("/healthz").json()["state"] == "normal"


def test_sources_that_contradict_each_other_close_the_sku_at_once(shop: Shop, tmp_path: Path):
    shop.until(lambda: shop.ask().status_code == 200)
    prices = json.loads(shop.file.read_text())["prices"]

    shop.write(prices | {"test/chat:output_token": "0"})
    shop.until(lambda: shop.ask().status_code == 503)

    refused = shop.ask().json()["error"]
    assert (refused["code"], refused["sku"]) == ("sku_unroutable", "test/chat:output_token")
    assert "which is no price" in refused["why"]
    shop.write(prices)
    shop.until(lambda: shop.ask().status_code == 200)


def test_the_command_line_shows_the_history_and_what_the_sources_say(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MINTERY_HOME", str(shop.stack.directory.parent))
    where = {"rpc": shop.stack.rpc_url, "deployment": shop.stack.directory / "deployment.json"}

    def shown(command: Callable[..., None], *arguments: object) -> dict[str, Any]:
        command(*arguments, **where, as_json=True)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    versions_ = shown(partial(price.history, last=100), "test/chat:output_token")["versions"]
    said = shown(price.sources, ["test/chat:output_token", "test/none:image"])["skus"]
    price.history("test/chat:output_token", last=1, **where)
    plotted = capsys.readouterr().out

    wads = [int(each["usd_wad"]) for each in versions_]
    assert (wads[0], wads[-1]) == (parse_usd(LOCAL_PRICES["test/chat:output_token"]), 2 * wads[0])
    assert [each["superseded_at"] for each in versions_][-1] is None
    assert said[0]["usd_wad"] == str(2 * wads[0])
    assert said[1]["usd_wad"] is None
    assert said[1]["why"] == "no source has a price (prices.json: not listed; genai-prices: not listed)"
    assert "8 USD per million output tokens" in plotted
    assert "────" in plotted


def doubled(usd: str) -> str:
    whole = 2 * parse_usd(usd)
    return f"{whole // 10**18}.{whole % 10**18:018d}"


def versions(shop: Shop) -> set[int]:
    prices = shop.http.get("/v1/models/test/chat").json()["mintery"]["prices"]
    return {price["version"] for price in prices}


def usage(receipt: dict[str, Any]) -> dict[str, int]:
    return {line["sku"]: line["quantity"] for line in receipt["usage"]}
