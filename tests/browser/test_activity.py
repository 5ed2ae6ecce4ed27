"""What happened, as it happens, and each receipt one click away."""

import openai
from playwright.sync_api import Page, expect

from .conftest import Served
from .looks import check_looks


def call(served: Served) -> str:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=served.wallet.api_key, max_retries=0) as client:
        answer = client.chat.completions.create(
            model="test/chat", messages=[{"role": "user", "content": "Hello!"}], max_tokens=30
        )
    return str(answer._request_id)


def test_a_request_appears_by_itself_and_has_its_receipt(signed_in: Page, served: Served) -> None:
    signed_in.goto("/wallet/activity")
    expect(signed_in.get_by_role("heading", level=1, name="Activity")).to_be_visible()
    before = signed_in.get_by_role("button", name="test/chat").count()
    request = call(served)
    expect(signed_in.get_by_role("button", name="test/chat")).to_have_count(before + 1)
    check_looks(signed_in, "activity")

    signed_in.get_by_role("button", name="test/chat").first.click()
    drawer = signed_in.get_by_role("dialog", name="Receipt")
    expect(drawer.get_by_text(request)).to_be_visible()
    told = signed_in.request.get(f"/v1/wallet/receipts/{request}").json()
    for amount in (told["before"]["most_credits"], told["charged_credits"]):
        expect(drawer).to_contain_text(f"{amount} PXAI")
    expect(drawer).to_contain_text("input token")
    check_looks(signed_in, "receipt")
    signed_in.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def test_it_can_be_narrowed_down(signed_in: Page, served: Served) -> None:
    call(served)
    signed_in.goto("/wallet/activity")
    expect(signed_in.get_by_role("button", name="test/chat").first).to_be_visible()
    signed_in.get_by_label("What").select_option("top_up")

    expect(signed_in.get_by_role("button", name="test/chat")).to_have_count(0)
    expect(signed_in.get_by_role("cell", name="Top-up").first).to_be_visible()
