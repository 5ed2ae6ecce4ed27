"""The pages in a real Chromium, served by a whole Mintery on free ports of this machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from tests.fakes.stripe_account import API_KEY, WEBHOOK_SECRET, StripeAccount, serve

from mintery.bootstrap import DEV_ROLES, LocalStack, start_local_stack
from mintery.cli.first_wallet import FirstWallet, fill_first_wallet
from mintery.settings import load_settings

from .chromium import launch
from .looks import WIDE
from .wallet_app import WalletApp, account_of

WAIT_MS = 15_000


@dataclass(frozen=True)
class Served:
    """A running Mintery with one project and one holder who has credits."""

    stack: LocalStack
    wallet: FirstWallet

    @property
    def url(self) -> str:
        return self.stack.gateway_url

    def app_of(self, account: LocalAccount) -> WalletApp:
        """A wallet app with one account, on the right network."""
        return WalletApp(account, self.stack.chain.rpc.chain_id, self._send)

    def _send(self, account: LocalAccount, transaction: dict[str, Any]) -> str:
        rpc = self.stack.chain.rpc
        filled = {
            "to": transaction["to"],
            "data": transaction["data"],
            "value": 0,
            "chainId": rpc.chain_id,
            "nonce": int(rpc.request("eth_getTransactionCount", account.address, "pending"), 16),
            "gas": 500_000,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
        }
        return str(rpc.request("eth_sendRawTransaction", "0x" + account.sign_transaction(filled).raw_transaction.hex()))


BANK_DETAILS = "Mintery Test Bank, account 12 34 56"


@pytest.fixture(scope="session")
def stripe_account() -> StripeAccount:
    """What takes cards: a stand-in for Stripe's API on this machine."""
    return StripeAccount(lambda: datetime.now(UTC))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, stripe_account: StripeAccount) -> Iterator[Served]:
    with serve(stripe_account) as stripe_url:
        yield from _served(tmp_path_factory.mktemp("home"), stripe_url)


def _served(home: Path, stripe_url: str) -> Iterator[Served]:
    settings = load_settings(
        home=home,
        host="127.0.0.1",
        port=0,
        sync_interval=0.5,
        market_interval=0.5,
        orders_interval=0.5,
        stripe_key=API_KEY,
        stripe_webhook_secret=WEBHOOK_SECRET,
        stripe_url=stripe_url,
        bank_details=BANK_DETAILS,
        operator_key="operator-key-of-the-tests",
    )
    with start_local_stack(settings, memberships=True) as stack:
        yield Served(stack, fill_first_wallet(stack))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module: as long as Playwright stands, an event loop runs in this thread, and tests of other modules could begin
    none of their own.
    """
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


class Complaints:
    """What a page's console said that it should not have, and what of it was expected."""

    def __init__(self) -> None:
        self.said: list[str] = []
        # Chromium reports each 401 in the console; this one is how a page learns that nobody is signed in.
        # A statement that is being written for the page before is waited for.
        self.expected: list[str] = ["/v1/wallet/sign-in)", "/v1/wallet/statement", "/v1/operator/sign-in)"]

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.said.append(f"{message.text} ({message.location.get('url')})")

    def unexpected(self) -> list[str]:
        return [line for line in self.said if not any(part in line for part in self.expected)]


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def context(browser: Browser, served: Served) -> Iterator[BrowserContext]:
    """A browser that was never here before."""
    opened = browser.new_context(
        base_url=served.url,
        viewport={"width": WIDE[0], "height": WIDE[1]},
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    opened.set_default_timeout(WAIT_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, complaints: Complaints) -> Iterator[Page]:
    """Its console must stay silent: an error there is an error of the page."""
    opened = context.new_page()
    opened.on("console", complaints.hear)
    opened.on("pageerror", lambda error: complaints.said.append(str(error)))
    yield opened
    assert complaints.unexpected() == []


@pytest.fixture
def holder_app(context: BrowserContext, served: Served) -> WalletApp:
    """The app of the holder who has credits, on the right network."""
    app = served.app_of(account_of(DEV_ROLES["holder"]))
    app.install(context)
    return app


@pytest.fixture
def signed_in(page: Page, holder_app: WalletApp) -> Page:
    """The holder's home page."""
    page.goto("/wallet")
    page.get_by_role("button", name="Sign in with Test App").click()
    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()
    return page
