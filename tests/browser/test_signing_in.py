"""Coming in: with a wallet app, without one, and what goes wrong on the way."""

from playwright.sync_api import BrowserContext, Page, expect

from mintery.bootstrap import DEV_ROLES

from .conftest import Complaints, Served
from .looks import check_looks
from .wallet_app import WalletApp, account_of


def test_without_a_wallet_app_there_are_ways_on(page: Page) -> None:
    page.goto("/wallet")

    expect(page.get_by_text("No wallet app was found in this browser.")).to_be_visible()
    expect(page.get_by_role("link", name="See what backs the credits")).to_be_visible()
    check_looks(page, "no-wallet-app")


def test_the_first_visit_with_a_wallet_app(page: Page, holder_app: WalletApp) -> None:
    page.goto("/wallet")
    check_looks(page, "welcome")
    page.get_by_role("button", name="Sign in with Test App").click()

    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()
    expect(page.get_by_role("region", name="Routed balance")).to_contain_text("PXAI")
    expect(page.get_by_role("region", name="Official balance")).to_contain_text("Nothing here yet.")
    assert holder_app.asked == ["eth_requestAccounts", "personal_sign"]


def test_who_declines_is_told_that_nothing_happened(page: Page, holder_app: WalletApp) -> None:
    holder_app.declines = {"personal_sign"}
    page.goto("/wallet")
    page.get_by_role("button", name="Sign in with Test App").click()

    expect(page.get_by_role("alert")).to_have_text("You declined in your wallet app. Nothing happened.")
    holder_app.declines.clear()
    page.get_by_role("button", name="Sign in with Test App").click()
    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()


def test_another_account_in_the_app_is_noticed(signed_in: Page, holder_app: WalletApp) -> None:
    holder_app.choose(signed_in, account_of(DEV_ROLES["friend"]))

    expect(signed_in.get_by_role("alert")).to_contain_text("still signed in as the other one")


def test_signing_out_ends_it_everywhere(signed_in: Page, context: BrowserContext) -> None:
    cookies = context.cookies()
    signed_in.get_by_role("button", name="Sign out").click()
    expect(signed_in.get_by_role("heading", level=1, name="One wallet for all your AI")).to_be_visible()

    context.add_cookies(cookies)  # type: ignore[arg-type]  # as the browser gave them
    assert signed_in.request.get("/v1/wallet").status == 401


def test_no_script_reads_the_cookie(signed_in: Page) -> None:
    assert signed_in.evaluate("document.cookie") == ""


def test_the_test_holder_needs_no_wallet_app(page: Page, served: Served, complaints: Complaints) -> None:
    complaints.expected.append("/v1/wallet/sign-in/dev)")
    page.goto("/wallet")
    page.get_by_text("Trying this out on your own machine?").click()
    page.get_by_label("Test key").fill("a wrong one")
    page.get_by_role("button", name="Sign in as the test holder").click()
    expect(page.get_by_role("alert")).to_contain_text("this is not the test key")

    page.get_by_label("Test key").fill(served.stack.gateway.dev_key or "")
    page.get_by_role("button", name="Sign in as the test holder").click()
    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()
