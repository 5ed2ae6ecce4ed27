"""Everything that may act for a holder is on one page, and each of it ends there."""

import openai
import pytest
from playwright.sync_api import Page, expect

from .conftest import Served
from .looks import check_looks
from .test_keys import call, closed, make_key


def open_page(page: Page) -> None:
    page.goto("/wallet/permissions")
    expect(page.get_by_role("heading", level=1, name="Permissions")).to_be_visible()


def test_every_permission_is_listed_and_ends(signed_in: Page, served: Served) -> None:
    key = make_key(signed_in, "Listed app")
    closed(signed_in)
    call(served, key)
    open_page(signed_in)
    told = signed_in.request.get("/v1/wallet/authorities").json()["data"]
    assert signed_in.get_by_role("button", name="End it").count() == len(told)
    assert {"budget", "voucher", "sign_in"} <= {each["kind"] for each in told}
    check_looks(signed_in, "permissions")

    row = signed_in.get_by_role("listitem").filter(has_text="Listed app")
    row.get_by_role("button", name="End it").click()
    signed_in.get_by_role("dialog").get_by_role("button", name="End it").click()
    expect(signed_in.get_by_text("“Listed app” has ended.")).to_be_visible()
    with pytest.raises(openai.AuthenticationError):
        call(served, key)
