"""What became of a holder's credits in a month, from the gateway: the sums, or a file with every line."""

from collections.abc import Mapping
from typing import Any, BinaryIO
from urllib.parse import urlencode

import httpx2

from mintery.client.calls import call, refused
from mintery.errors import GatewayUnreachable

_TIMEOUT = httpx2.Timeout(30.0, read=120.0)


def statement(base_url: str, key: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
    """``GET /v1/wallet/statement`` without its lines. Amounts are nanocredits, as strings.

    ``key``: a voucher's, for its account, or the token of a sign-in, for all of the holder's. ``query``: ``month``, ``to`` and
    ``time_zone`` where they are not this month and UTC.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    return call("GET", f"{base_url}/wallet/statement?{urlencode({**(query or {}), 'lines': 'false'})}", key)


def activity(base_url: str, key: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
    """``GET /v1/wallet/activity``: one page, newest first; ``query`` as its parameters, the ``next`` of a page as ``cursor``.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    return call("GET", f"{base_url}/wallet/activity?{urlencode(query or {})}", key)


def read_request(base_url: str, key: str, request_id: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
    """``GET /v1/wallet/receipts/…``: what a request could cost at most, and its receipt once there is one.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    return call("GET", f"{base_url}/wallet/receipts/{request_id}?{urlencode(query or {})}", key)


def save_statement(base_url: str, key: str, form: str, into: BinaryIO, query: Mapping[str, str] | None = None) -> int:
    """Write the whole statement as ``form`` (json, csv, html or pdf) as it arrives; gives the number of bytes.

    Raises:
        GatewayRefused
        GatewayUnreachable: also where it ended before its end; what was written is then not whole.
    """
    url = f"{base_url}/wallet/statement?{urlencode({**(query or {}), 'format': form})}"
    written = 0
    try:
        with httpx2.stream("GET", url, headers={"Authorization": f"Bearer {key}"}, timeout=_TIMEOUT) as answer:
            if not answer.is_success:
                answer.read()
                raise refused(answer)
            for part in answer.iter_bytes():
                written += into.write(part)
    except httpx2.TransportError as error:
        raise GatewayUnreachable(url, str(error)) from error
    return written
