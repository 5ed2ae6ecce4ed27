"""The operator's page: what waits, what is held up and what was given up, in words that say what to do."""

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from .conftest import Complaints, Served
from .looks import check_looks
from .test_top_up import open_review

AT = "2026-11-21T12:00:00+00:00"
DISPUTE = {
    "id": "dp_1", "order": "ord_1", "status": "open", "reason": "product_not_received", "payment": "pi_1", "disputed_usd": "20",
    "lost_usd": "0", "opened_at": AT, "ended_at": None, "bought_credits": "2000", "frozen_credits": "1500", "used_credits": "500",
    "taken_out_credits": "0",
}  # fmt: skip
LOST = DISPUTE | {"id": "dp_2", "status": "lost", "lost_usd": "20", "ended_at": AT}
ORDER = {"id": "ord_1", "status": "disputed", "rail": "card", "asked_usd": "20", "placed_at": AT}
QUEUES: dict[str, list[dict[str, Any]]] = {
    "review": [],
    "refunds": [],
    "waiting": [
        {
            "subject": "ord_2",
            "kind": "mint",
            "why": "the treasury is empty",
            "tries": 3,
            "since": AT,
            "next_try_at": AT,
        },
        {"subject": "rfd_3", "kind": None, "why": "it does not answer", "tries": 1, "since": AT, "next_try_at": AT},
    ],
    "given_up": [
        {"subject": "rfd_4", "kind": "collect", "why": "the authorization was used", "at": AT},
        {"subject": "ord_5", "kind": "deposit", "why": "the signature is too old", "at": AT},
    ],
    "disputes": [DISPUTE, LOST],
    "all": [ORDER],
}


@pytest.fixture
def troubled(page: Page, context: BrowserContext, served: Served) -> Page:
    """The page of an operator who has all kinds of trouble at once."""

    def answer(route: Route) -> None:
        queue = route.request.url.rpartition("queue=")[2]
        route.fulfill(content_type="application/json", body=json.dumps({"object": "list", "data": QUEUES[queue]}))

    context.route("**/admin/orders?queue=*", answer)
    open_review(page, served)
    return page


def test_trouble_is_told_with_what_becomes_of_it(troubled: Page, complaints: Complaints) -> None:
    complaints.expected.append("/admin/orders/ord_2/retry")
    for text in (
        "Disputed by the payer's bank (1)",
        "The payer's bank asks for this money back.",
        "product not received",
        "1,500.00",
        "Held up, and tried again by itself (2)",
        "Creating the credits",
        "the treasury is empty",
        "Given up: it can never take effect (2)",
        "The credits stayed in the holder's own wallet, to be changed into dollars there.",
        "The credits are in the holder's own wallet, to be made spendable there.",
    ):
        expect(troubled.get_by_text(text, exact=True).or_(troubled.get_by_text(text)).first).to_be_visible()
    check_looks(troubled, "review-trouble", technical=True)

    troubled.get_by_role("button", name="Try now").first.click()
    expect(troubled.get_by_role("alert")).to_contain_text("ord_2")
    troubled.get_by_role("button", name="Stop reviewing").click()
    expect(troubled.get_by_label("Operator key")).to_be_visible()
    troubled.reload()
    expect(troubled.get_by_label("Operator key")).to_be_visible()
