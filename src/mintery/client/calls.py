"""Plain questions to a gateway: what may this cost, what is left, what did that cost.

``base_url`` ends in ``/v1``, as for the ``openai`` client; ``voucher_key`` is the API key.
"""

from collections.abc import Mapping
from typing import Any

import httpx2

from mintery.crypto.receipts import check_receipt_signature
from mintery.domain.receipt import Receipt, check_arithmetic, parse_receipt
from mintery.errors import GatewayRefused, GatewayUnreachable

_TIMEOUT = 30.0


def credits(base_url: str, voucher_key: str) -> dict[str, Any]:  # noqa: A001 -- the word for a balance
    """``GET /v1/credits``: what the key's account and voucher still allow. Amounts are nanocredits, as strings.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    return call("GET", f"{base_url}/credits", voucher_key)


def quote(base_url: str, voucher_key: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """``POST /v1/quote``: the most that ``request`` (a body as the OpenAI API takes it) can cost. Nothing is spent.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    return call("POST", f"{base_url}/quote", voucher_key, request)


def explain_route(base_url: str, voucher_key: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """``POST /v1/route/explain``: which route ``request`` would take now, and why each other would not. Nothing is spent.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    return call("POST", f"{base_url}/route/explain", voucher_key, request)


def why(base_url: str, key: str | None, request_id: str) -> dict[str, Any]:
    """``GET /v1/why/…``: what a request failed at, with the evidence. ``key`` may be the operator's.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    return call("GET", f"{base_url}/why/{request_id}", key)


def read_receipt(base_url: str, voucher_key: str, request_id: str, *, check: bool = True) -> Receipt:
    """The receipt of a request; its id is ``_request_id`` of what the ``openai`` package returned.

    With ``check``, its sum must follow from its lines, and the settler that it names must have signed it.

    Raises:
        ReceiptRefused: it does not hold.
        MalformedReceipt, GatewayRefused, GatewayUnreachable
    """
    receipt = parse_receipt(call("GET", f"{base_url}/receipts/{request_id}", voucher_key))
    if check:
        check_arithmetic(receipt)
        check_receipt_signature(receipt)
    return receipt


def call(
    method: str,
    url: str,
    key: str | None,
    body: Mapping[str, Any] | None = None,
    *,
    beside: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """One request, with the headers ``beside`` its key, and its JSON answer. Raises GatewayRefused, GatewayUnreachable."""
    headers = {**(beside or {}), **({} if key is None else {"Authorization": f"Bearer {key}"})}
    try:
        answer = httpx2.request(method, url, json=body, headers=headers, timeout=_TIMEOUT)
    except httpx2.TransportError as error:
        raise GatewayUnreachable(url, str(error)) from error
    if answer.is_success:
        return dict(answer.json())
    raise refused(answer)


def refused(answer: httpx2.Response) -> GatewayRefused:
    """With the code and message of an OpenAI-shaped error; the reason phrase where it is none."""
    try:
        error = answer.json()["error"]
        return GatewayRefused(answer.status_code, str(error["code"] or ""), str(error["message"]))
    except (ValueError, KeyError, TypeError):
        return GatewayRefused(answer.status_code, "", answer.reason_phrase)
