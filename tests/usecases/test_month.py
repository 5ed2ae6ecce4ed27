"""One month of one holder and three apps: page, CSV, API, ledger and chain say the same, to the last unit."""

import csv
import io
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.databases import Database
from tests.gateway.rig import market, rig
from tests.usecases.town import MARKUP, PAR, PROVIDER, Member, Till, Town, new_project, now, open_till
from tests.wallet.browser import Browser, signed_in
from tests.wallet.test_statement import Cells, pdf_texts

from mintery.crypto.keys import dev_key
from mintery.crypto.vouchers import account_id
from mintery.domain.keys import KeyId
from mintery.domain.project import Project
from mintery.domain.receipt import Receipt
from mintery.domain.voucher import Address, Kind
from mintery.ledger.commands import CaptureHold
from mintery.units import NanoCredits, credit_units, parse_credits
from mintery.usecases.chain_flows import FlowLedger
from mintery.usecases.exit_credits import execute_exit, release_credits, start_exit
from mintery.usecases.write_off import write_off

HOLDER = dev_key(3)
APPS = [KeyId(f"key_{number:016x}") for number in (1, 2, 3)]
REQUESTS = 72
MODELS = ("acme/small", "acme/large", "acme/paint")
STATEMENT = "/v1/wallet/statement"


def use(till: Till, member: Member, key: KeyId, draw: random.Random) -> Receipt:
    """One request of an app, at any moment of the month so far."""
    first = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    at = first + timedelta(microseconds=draw.randrange((now() - first) // timedelta(microseconds=1) + 1))
    receipt = till.receipt(member, till.town.lines(draw.randint(1, 900)))
    receipt = replace(receipt, captured_at=at, key=key, model=draw.choice(MODELS), backup=draw.random() < 0.2)
    till.hold(member, receipt)
    till.ledger.commit([CaptureHold(receipt.id, receipt, None)])
    return receipt


def live_a_month(till: Till, other: Address) -> dict[KeyId, list[Receipt]]:
    """Two apps share an account, the third pays from another project's credits. In between: top-ups, settlements, a release, an
    exit, a write-off.
    """
    draw = random.Random(11)
    shared, alone = till.open_account("5"), till.open_account("3", token=other)
    accounts = dict(zip(APPS, (shared, shared, alone), strict=True))
    till.sync()
    spent: dict[KeyId, list[Receipt]] = {key: [] for key in APPS}
    chain, issuer = till.town.chain, till.town.issuer
    for number in range(REQUESTS):
        key = draw.choice(APPS)
        spent[key].append(use(till, accounts[key], key, draw))
        if number == 30:
            till.settle()
            chain.escrow.deposit(issuer, shared.key, parse_credits("1.25"))
            till.sync()
        if number == 60:
            release_credits(chain, chain.sender(till.settler), shared.key, parse_credits("0.5"))
            start_exit(chain, issuer, alone.key, parse_credits("0.25"))
            till.sync()
        if number == 61:
            write_off(till.ledger, spent[key][-1].id, "it can never settle", now())
    till.town.advance(chain.escrow.exit_delay())
    execute_exit(chain, issuer, alone.key)
    till.sync()
    till.settle()
    return spent


@pytest.fixture
def till(town: Town, database: Database) -> Iterator[Till]:
    """On SQLite and on PostgreSQL."""
    opened = open_till(town, database.url)
    yield opened
    opened.ledger.close()


@pytest.fixture
def lived(till: Till) -> Iterator[tuple[Browser, dict[KeyId, list[Receipt]], Address]]:
    other = new_project(till.town)
    spent = live_a_month(till, other)
    projects = {
        token: Project(token, symbol, symbol, HOLDER.address, PAR, MARKUP, kind, frozenset({PROVIDER}))
        for token, symbol, kind in (
            (till.town.token, "ROUTED_CREDITS", Kind.ROUTED),
            (other, "OFFICIAL", Kind.OFFICIAL),
        )
    }
    with rig(till.ledger) as running:
        object.__setattr__(running.parts, "gateway", till.gateway)
        running.market = replace(market(int(now().timestamp())), projects=projects)
        yield signed_in(running, HOLDER), spent, other


def period(till: Till) -> dict[str, str]:
    """This month; and the next where the chain's clock, which runs ahead, is in it already."""
    ahead = datetime.fromtimestamp(till.town.rpc.block().timestamp, UTC)
    return {"month": f"{now():%Y-%m}", "to": f"{max(now(), ahead):%Y-%m}"}


def test_page_csv_api_ledger_and_chain_say_the_same(
    till: Till, lived: tuple[Browser, dict[KeyId, list[Receipt]], Address]
):
    browser, spent, other = lived

    def read(form: str) -> Any:
        answer = browser.call("GET", STATEMENT, params={**period(till), "format": form})
        assert answer.status_code == 200, answer.text
        return answer

    made = read("json").json()
    official, routed = made["wallets"]
    assert [(wallet["kind"], wallet["token"]) for wallet in made["wallets"]] == [
        ("official", other), ("routed", till.town.token),
    ]  # fmt: skip

    # API: opening + top-ups - use + waived - paid back = closing, and lines and groups add up to it.
    for wallet, apps in ((official, APPS[2:]), (routed, APPS[:2])):
        figure = {name: int(wallet[f"{name}_nanocredits"]) for name in TERMS}
        terms = figure["opening"] + figure["top_ups"] - figure["use"] + figure["waived"] - figure["paid_back"]
        assert terms == figure["closing"] == int(wallet["now_nanocredits"])
        lines = [line for line in made["lines"] if line["token"] == wallet["token"]]
        assert figure["opening"] + sum(int(line["change_nanocredits"]) for line in lines) == figure["closing"]
        assert int(lines[-1]["balance_nanocredits"]) == figure["closing"]
        cost = {key: sum(receipt.cost for receipt in spent[key]) for key in apps}
        assert {each["key"]: int(each["use_nanocredits"]) for each in wallet["by_key"]} == cost
        by_model = Counter()
        for receipt in (receipt for key in apps for receipt in spent[key]):
            by_model[receipt.model] += receipt.cost
        assert {each["model"]: int(each["use_nanocredits"]) for each in wallet["by_model"]} == by_model
        assert wallet["backup_requests"] == sum(receipt.backup for key in apps for receipt in spent[key])
    assert official["exits_credits"] == "0.25"
    assert routed["releases_credits"] == "0.5"
    assert (routed["waived_nanocredits"] == "0") != (official["waived_nanocredits"] == "0")

    # CSV
    rows = list(csv.DictReader(io.StringIO(read("csv").text)))
    said = [row for row in rows if row["kind"] not in {"opening", "closing"}]
    assert [row["change_nanocredits"] for row in said] == [line["change_nanocredits"] for line in made["lines"]]
    closing = {row["token"]: row["balance_nanocredits"] for row in rows if row["kind"] == "closing"}
    assert closing == {wallet["token"]: wallet["closing_nanocredits"] for wallet in made["wallets"]}

    # Page, and the PDF of it
    page = Cells(read("html").text)
    sums = [rows for caption, rows in page.tables if caption == "Sum"]
    for table, wallet in zip(sums, made["wallets"], strict=True):
        assert table[-1] == ["Balance at the end", f"{wallet['closing_credits']} ({wallet['closing_usd']} USD)"]
    shown = dict(page.tables)["Every line"][1:]
    assert [row[3].partition(" ")[0] for row in shown] == [line["change_credits"] for line in made["lines"]]
    cells = Counter(pdf_texts(read("pdf").content))
    assert not Counter(line["balance_credits"] for line in made["lines"]) - cells

    # Ledger
    till.ledger.check()
    totals = {total.token: total for total in till.ledger.totals()}
    for wallet in made["wallets"]:
        total = totals[wallet["token"]]
        assert [int(wallet[f"{name}_nanocredits"]) for name in ("use", "waived", "top_ups", "paid_back", "closing")] == [
            total.receipts, total.losses, total.deposited, total.exited, total.available + total.held,
        ]  # fmt: skip
        assert total.captured == int(wallet["unsettled_now_nanocredits"]) == 0

    # Chain: what the escrow has of the accounts, and what was burned for them.
    chain, at = till.town.chain, till.town.rpc.block()
    flows = FlowLedger(chain).up_to(at, till.ledger)
    accounts = {account_id(account.key): account for account in till.ledger.accounts(holder=HOLDER.address)}
    for wallet in made["wallets"]:
        keys = [accounts[each["account"]].key for each in wallet["accounts"]]
        balances = sum(position.balance for position in chain.escrow.positions_of(keys, at=at))
        assert balances == credit_units(NanoCredits(int(wallet["closing_nanocredits"])))
        burned = flows.tokens[wallet["token"]].burned_for[till.gateway]
        used = int(wallet["use_nanocredits"]) - int(wallet["waived_nanocredits"])
        assert burned == credit_units(NanoCredits(used)) > 0
    assert till.reconciler.reconcile(now()).differences == ()


TERMS = ("opening", "top_ups", "use", "waived", "paid_back", "closing")
