"""Memberships of a key's account: what is sold, begun and ended. ``base_url`` ends in ``/v1``."""

from typing import Any

from mintery.client.calls import call


def memberships(base_url: str, voucher_key: str) -> dict[str, Any]:
    """``GET /v1/memberships``: what is sold for the key's credits, and what its account has. Amounts are nanocredits, as strings.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    return call("GET", f"{base_url}/memberships", voucher_key)


def begin_membership(base_url: str, voucher_key: str, membership: str, *, most: int | None = None) -> dict[str, Any]:
    """``POST /v1/memberships``: pay ``membership`` by the month, at ``most`` nanocredits each (None: what it costs now).

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    body = {"membership": membership} | ({} if most is None else {"most_nanocredits_a_month": str(most)})
    return call("POST", f"{base_url}/memberships", voucher_key, body)


def end_membership(base_url: str, voucher_key: str, membership: str) -> dict[str, Any]:
    """``DELETE /v1/memberships/…``: no further month is charged.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    return call("DELETE", f"{base_url}/memberships/{membership}", voucher_key)
