"""What a holder's page does to make a key, and what an app does with it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import httpx2
from tests.gateway.rig import TOKEN, Rig, market
from tests.wallet.browser import Browser

from mintery.crypto.typed_data import digest_of

LOW_PICTURE = {"model": "test/paint", "size": "1024x1024", "quality": "low"}
"""Costs 0.011 USD each, known before."""


def signed_offer(
    browser: Browser, *, credits_: str = "90", days: int = 30, token: str = TOKEN, on_top: bool = False
) -> dict[str, Any]:
    """A voucher as ``POST /v1/wallet/keys`` takes it."""
    body = {"token": token, "credits": credits_, "days": days, "on_top": on_top}
    offer = browser.call("POST", "/v1/wallet/vouchers/offer", json=body)
    assert offer.status_code == 200, offer.text
    signature = browser.key.sign_digest(digest_of(offer.json()["typed_data"])).long
    return {**offer.json()["voucher"], "signature": "0x" + signature.hex()}


def made_key(browser: Browser, **fields: Any) -> dict[str, Any]:
    body = {"label": "my app", "voucher": signed_offer(browser), **fields}
    made = browser.call("POST", "/v1/wallet/keys", json=body)
    assert made.status_code == 200, made.text
    answer: dict[str, Any] = made.json()
    return answer


def pictures(gateway: Rig, key: str, calls: int, *, each: int = 4) -> Sequence[httpx2.Response]:
    """All at once, of ``each`` low pictures: 0.044 USD unless told otherwise."""

    def paint(number: int) -> httpx2.Response:
        body = {**LOW_PICTURE, "prompt": f"picture {number}", "n": each}
        return gateway.post("/v1/images/generations", key=key, json=body)

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(paint, range(calls)))


def set_clock(gateway: Rig, now: datetime) -> None:
    """It goes on from ``now``; so does the chain, and its prices are fresh."""
    began = monotonic()
    object.__setattr__(gateway.parts, "clock", lambda: now + timedelta(seconds=monotonic() - began))
    gateway.market = market(int(now.timestamp()))
