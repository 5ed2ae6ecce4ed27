"""The statement: what the page says is what the API says, and what was paid is on it."""

from decimal import Decimal

import openai
import pytest
from playwright.sync_api import Page, expect

from .conftest import Served
from .looks import check_looks


@pytest.fixture(scope="module")
def used(served: Served) -> None:
    """Three paid calls with the stock client."""
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=served.wallet.api_key, max_retries=0) as client:
        for _ in range(3):
            client.chat.completions.create(model="test/chat", messages=[{"role": "user", "content": "Hello!"}])


@pytest.mark.usefixtures("used")
def test_the_statement_adds_up(signed_in: Page) -> None:
    signed_in.goto("/wallet/statement")
    section = signed_in.get_by_role("region", name="Routed balance PXAI")
    expect(section).to_be_visible()
    (wallet,) = signed_in.request.get("/v1/wallet/statement?time_zone=Europe/Berlin&lines=false").json()["wallets"]

    expect(section).to_contain_text(f"{wallet['requests']} requests")
    assert wallet["requests"] >= 3
    figures = {
        name: Decimal(wallet[f"{name}_credits"])
        for name in ("opening", "top_ups", "use", "waived", "paid_back", "closing")
    }
    assert figures["closing"] == (
        figures["opening"] + figures["top_ups"] - figures["use"] + figures["waived"] - figures["paid_back"]
    )
    assert section.locator(f"[title^='{wallet['use_credits']} ']").count() >= 1
    expect(signed_in.get_by_role("img", name="Spent on each day")).to_be_visible()
    check_looks(signed_in, "statement")


@pytest.mark.usefixtures("used")
def test_its_other_forms_are_one_click_away(signed_in: Page) -> None:
    signed_in.goto("/wallet/statement")
    expect(signed_in.get_by_role("link", name="PDF")).to_be_visible()
    for name, begins in [("PDF", b"%PDF-"), ("Table (CSV)", b""), ("Page to print", b"<!")]:
        link = signed_in.get_by_role("link", name=name).get_attribute("href") or ""
        answer = signed_in.request.get(link)
        assert answer.status == 200
        assert answer.body().startswith(begins)


@pytest.mark.usefixtures("used")
def test_home_shows_what_was_spent(signed_in: Page) -> None:
    expect(signed_in.get_by_role("img", name="Spent on each day")).to_be_visible()
    check_looks(signed_in, "home")
