"""Top-up orders and lots. ``key`` is a sign-in's token, an account's key (to read), or the operator's (``admin_…``).

``base_url`` ends in ``/v1``, as everywhere. Everything raises GatewayRefused and GatewayUnreachable.
"""

from typing import Any
from urllib.parse import quote, urlencode

from mintery.client.calls import call


def place_order(base_url: str, key: str, order: dict[str, Any]) -> dict[str, Any]:
    """``order``: ``rail``, ``token``, ``usd``, and what was signed, if anything."""
    return call("POST", f"{base_url}/wallet/orders", key, order)


def list_orders(base_url: str, key: str, *, limit: int = 50) -> dict[str, Any]:
    return call("GET", f"{base_url}/wallet/orders?{urlencode({'limit': limit})}", key)


def read_order(base_url: str, key: str, order: str) -> dict[str, Any]:
    return call("GET", f"{base_url}/wallet/orders/{quote(order, safe='')}", key)


def cancel_order(base_url: str, key: str, order: str) -> dict[str, Any]:
    return call("POST", f"{base_url}/wallet/orders/{quote(order, safe='')}/cancel", key, {})


def check_order(base_url: str, key: str, order: str) -> dict[str, Any]:
    return call("POST", f"{base_url}/wallet/orders/{quote(order, safe='')}/check", key, {})


def list_lots(base_url: str, key: str, *, limit: int = 50) -> dict[str, Any]:
    """Newest first."""
    return call("GET", f"{base_url}/wallet/lots?{urlencode({'limit': limit})}", key)


def trace_lot(base_url: str, key: str, lot: int, *, after: int = 0, limit: int = 100) -> dict[str, Any]:
    """Which requests used it, oldest first; ``after`` is the last id of the page before."""
    return call("GET", f"{base_url}/wallet/lots/{lot}/requests?{urlencode({'after': after, 'limit': limit})}", key)


def admin_orders(base_url: str, key: str, queue: str, *, limit: int = 100) -> dict[str, Any]:
    """``queue``: review, unminted, refunds, waiting, given_up or all."""
    return call("GET", f"{_admin(base_url)}?{urlencode({'queue': queue, 'limit': limit})}", key)


def admin_order(base_url: str, key: str, order: str) -> dict[str, Any]:
    return call("GET", f"{_admin(base_url)}/{quote(order, safe='')}", key)


def admin_payment(base_url: str, key: str, line: dict[str, Any]) -> dict[str, Any]:
    """A line of the bank's statement: ``reference``, ``payment``, ``usd``, ``at``, ``by``."""
    return call("POST", f"{_admin(base_url)}/payments", key, line)


def admin_decide(base_url: str, key: str, order: str, said: dict[str, Any]) -> dict[str, Any]:
    """``said``: ``decision`` (accepted, refused), ``reason``, ``by``."""
    return call("POST", f"{_admin(base_url)}/{quote(order, safe='')}/decision", key, said)


def admin_return(base_url: str, key: str, order: str, said: dict[str, Any]) -> dict[str, Any]:
    return call("POST", f"{_admin(base_url)}/{quote(order, safe='')}/return", key, said)


def admin_retry(base_url: str, key: str, subject: str) -> dict[str, Any]:
    """``subject``: an order or a refund."""
    return call("POST", f"{_admin(base_url)}/{quote(subject, safe='')}/retry", key, {})


def admin_refund_done(base_url: str, key: str, refund: str, said: dict[str, Any]) -> dict[str, Any]:
    """``said``: the bank's ``reference``, ``by``."""
    return call("POST", f"{_admin(base_url)}/refunds/{quote(refund, safe='')}/done", key, said)


def _admin(base_url: str) -> str:
    return f"{base_url.removesuffix('/v1')}/admin/orders"
