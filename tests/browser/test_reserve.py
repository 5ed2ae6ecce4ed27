"""The public page: what backs the credits, and what prices have been."""

from playwright.sync_api import Page, expect

from mintery.units import parse_assets, parse_credits
from mintery.usecases.mint_credits import mint_credits
from mintery.usecases.observe_reserve import observe_reserve
from mintery.usecases.show_reserve import show_reserve

from .conftest import Served
from .looks import check_looks


def test_anyone_sees_what_backs_the_credits(page: Page, served: Served) -> None:
    page.goto("/reserve")

    expect(page.get_by_role("heading", level=1)).to_have_text("What backs the credits")
    expect(page.get_by_text("Every credit is backed.")).to_be_visible()
    expect(page.get_by_role("heading", name="PROJECTX_AI_CREDITS")).to_be_visible()
    expect(page.get_by_text("100.00 %")).to_be_visible()
    for address in served.stack.gateway.parts.public.contracts.values():
        assert page.get_by_text(address).count() >= 1


def test_what_is_served_equals_the_chain(page: Page, served: Served) -> None:
    told = page.request.get("/v1/reserve").json()
    (project,) = told["projects"]
    chain = served.stack.chain
    read = show_reserve(chain, served.wallet.token, at=chain.rpc.block(project["block"]))

    assert parse_credits(project["supply_credits"]) == read.supply
    assert parse_credits(project["in_accounts_credits"]) == read.escrowed
    assert parse_assets(project["reserve_usd"]) == read.reserve
    assert parse_assets(project["needed_usd"]) == read.backing
    assert parse_assets(told["vault"]["assets_usd"]) == chain.asset.balance_of(chain.vault.address)
    assert told["contracts"]["ReserveVault"] == chain.vault.address


def test_what_the_reserve_has_been_is_plotted(page: Page, served: Served) -> None:
    gateway = served.stack.gateway
    observe_reserve(served.stack.chain, gateway.ledger, [served.wallet.token])
    mint_credits(
        served.stack.chain,
        served.stack.chain.sender(served.stack.key("issuer")),
        served.wallet.token,
        parse_credits("1000"),
        to=served.stack.key("issuer").address,
    )
    observe_reserve(served.stack.chain, gateway.ledger, [served.wallet.token])
    page.goto("/reserve")

    expect(page.get_by_role("img", name="never less than was needed")).to_be_visible()
    told = page.request.get(f"/v1/reserve/{served.wallet.token}/history").json()["observations"]
    assert parse_assets(told[-1]["reserve_usd"]) - parse_assets(told[-2]["reserve_usd"]) == parse_assets("10")
    assert all(parse_assets(each["reserve_usd"]) >= parse_assets(each["needed_usd"]) for each in told)


def test_an_unknown_price_is_not_found(page: Page) -> None:
    answer = page.request.get("/v1/prices/nobody/nothing:input_token")

    assert answer.status == 404
    assert answer.json()["error"]["code"] == "unknown_sku"


def test_test_money_is_said_before_any_script_runs(page: Page) -> None:
    answer = page.request.get("/reserve")

    assert "TEST MONEY" in answer.text()


def test_a_price_is_plotted(page: Page) -> None:
    page.goto("/reserve")
    page.get_by_label("Model and unit").select_option("test/embed:input_token")

    expect(page.get_by_role("img", name="Price of test/embed:input_token")).to_be_visible()
    page.get_by_text("The one version").click()
    expect(page.get_by_role("table", name="Versions of the price of test/embed:input_token")).to_be_visible()


def test_it_looks_well(page: Page) -> None:
    page.goto("/reserve")
    expect(page.get_by_role("img", name="Price of")).to_be_visible()

    check_looks(page, "reserve", technical=True)
