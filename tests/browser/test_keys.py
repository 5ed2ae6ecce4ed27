"""Keys for apps: made with one signature, shown once, held to their budget, and switched off at once."""

import re

import openai
import pytest
from playwright.sync_api import Page, expect

from .conftest import Served
from .looks import check_looks
from .wallet_app import WalletApp

HELLO = [{"role": "user", "content": "Hello!"}]


def open_page(page: Page) -> None:
    page.goto("/wallet/keys")
    expect(page.get_by_role("heading", level=1, name="Keys and limits")).to_be_visible()


def make_key(page: Page, label: str, budget: str = "20") -> str:
    """By the page's form; the key as the page shows it, once."""
    open_page(page)
    page.get_by_label("Which app is it for?").fill(label)
    page.get_by_label("Budget in dollars").fill(budget)
    page.get_by_role("button", name="Sign and make the key").click()
    shown = page.locator("#new-key")
    expect(shown).to_be_visible()
    return shown.inner_text()


def closed(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Close").click()


def call(served: Served, key: str) -> openai.types.chat.ChatCompletion:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=key, max_retries=0) as client:
        return client.chat.completions.create(model="test/chat", messages=HELLO, max_tokens=20)  # type: ignore[arg-type]  # plain messages


def test_a_key_pays_until_it_is_switched_off(signed_in: Page, served: Served, holder_app: WalletApp) -> None:
    key = make_key(signed_in, "Notes app")
    assert key.startswith("mk_")
    check_looks(signed_in, "new-key")
    closed(signed_in)
    expect(signed_in.get_by_text("The key for Notes app works from now on.")).to_be_visible()
    assert holder_app.asked.count("eth_signTypedData_v4") == 1

    assert call(served, key).choices[0].message.content
    open_page(signed_in)
    row = signed_in.get_by_role("listitem").filter(has_text="Notes app")
    expect(row.get_by_role("meter")).to_be_visible()
    assert key not in signed_in.content()
    check_looks(signed_in, "keys")

    row.get_by_role("button", name="Switch off").click()
    signed_in.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    expect(signed_in.get_by_text("The key for Notes app is switched off.")).to_be_visible()
    with pytest.raises(openai.AuthenticationError):
        call(served, key)


def test_a_budget_that_is_used_up_stops_the_app(signed_in: Page, served: Served) -> None:
    key = make_key(signed_in, "Tiny app", budget="0.00001")

    with pytest.raises(openai.APIStatusError) as refused:
        call(served, key)
    assert refused.value.status_code == 402


def test_a_new_secret_works_beside_the_old_one(signed_in: Page, served: Served) -> None:
    old = make_key(signed_in, "Old app")
    closed(signed_in)
    row = signed_in.get_by_role("listitem").filter(has_text="Old app")
    row.get_by_role("button", name="New secret").click()
    signed_in.get_by_role("dialog").get_by_role("button", name="Make it").click()
    expect(signed_in.locator("#new-key")).to_be_visible()
    new = signed_in.locator("#new-key").inner_text()

    assert new != old
    assert call(served, new).id
    assert call(served, old).id


def test_a_limit_for_all_apps_is_set_changed_and_removed(signed_in: Page) -> None:
    open_page(signed_in)
    signed_in.get_by_text("Set a limit").first.click()
    signed_in.get_by_label("At most, in dollars").fill("1")
    signed_in.get_by_role("button", name="Set the limit").click()
    row = signed_in.get_by_role("listitem").filter(has_text=re.compile("1.00 a week"))
    expect(row).to_be_visible()

    row.get_by_role("button", name="Change").click()
    signed_in.get_by_label("Dollars a week").fill("2.5")
    signed_in.get_by_role("button", name="Save").click()
    row = signed_in.get_by_role("listitem").filter(has_text="$2.50 a week")
    expect(row).to_be_visible()

    row.get_by_role("button", name="Remove").click()
    signed_in.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(signed_in.get_by_text("No limit is set beyond those of the keys.")).to_be_visible()


def test_the_days_begin_where_the_holder_lives(signed_in: Page) -> None:
    make_key(signed_in, "Zone app")

    assert signed_in.request.get("/v1/wallet/time-zone").json() == {"time_zone": "Europe/Berlin"}


def test_who_declines_gets_no_key(signed_in: Page, holder_app: WalletApp) -> None:
    holder_app.declines = {"eth_signTypedData_v4"}
    open_page(signed_in)
    signed_in.get_by_label("Which app is it for?").fill("Never app")
    signed_in.get_by_role("button", name="Sign and make the key").click()

    expect(signed_in.get_by_role("alert")).to_have_text("You declined in your wallet app. Nothing happened.")
    assert all(key["label"] != "Never app" for key in signed_in.request.get("/v1/wallet/keys").json()["data"])
