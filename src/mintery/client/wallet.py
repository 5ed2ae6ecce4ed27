"""A holder's side of the gateway, for programs that have the holder's own key: sign in, and let keys spend.

``base_url`` ends in ``/v1``. ``token`` is a sign-in's.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mintery.client.calls import call
from mintery.crypto.keys import PrivateKey
from mintery.crypto.personal_messages import sign_personal
from mintery.crypto.vouchers import sign_voucher
from mintery.domain.sign_in import parse_sign_in
from mintery.domain.voucher import Address, EscrowDomain, Voucher
from mintery.errors import GatewayRefused, SignInRefused
from mintery.units import NANO_DECIMALS, CreditUnits, NanoCredits, UnixSeconds, credit_units, parse_decimal


def chain_id_of(base_url: str) -> int:
    """The chain that the gateway settles on. Raises GatewayRefused, GatewayUnreachable."""
    return int(call("POST", f"{base_url}/wallet/sign-in/nonce", None)["chain_id"])


def sign_in(base_url: str, key: PrivateKey) -> str:
    """A token for twelve hours, as the owner of ``key``. What is signed must name the host that is asked: another's message,
    handed on, would sign somebody in there.

    Raises:
        SignInRefused, GatewayRefused, GatewayUnreachable
    """
    told = call("POST", f"{base_url}/wallet/sign-in/nonce?address={key.address}", None)
    message = parse_sign_in(str(told["message"]))
    asked = urlsplit(base_url).netloc
    if (message.domain, message.address) != (asked, key.address):
        raise SignInRefused(f"{asked} asks for a message of {message.domain}")
    body = {"message": told["message"], "signature": sign_personal(told["message"], key), "keep": "token"}
    return str(call("POST", f"{base_url}/wallet/sign-in", None, body)["token"])


def standing_voucher(
    base_url: str, token: str, key: PrivateKey, *, project: str, amount: Mapping[str, str], days: int
) -> dict[str, Any]:
    """A voucher as ``POST /v1/wallet/keys`` takes it: signed here, from the terms that the gateway offers.

    ``amount``: ``{"credits": …}`` or ``{"usd": …}``. Whatever is offered, what is signed spends credits of ``key``'s owner at
    that gateway and does nothing else.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    offer = call("POST", f"{base_url}/wallet/vouchers/offer", token, {"token": project, "days": days, **amount})
    terms, asked = offer["voucher"], offer["typed_data"]
    more, spent = int(offer["more_nanocredits"]), int(offer["spent_nanocredits"])
    wanted = more if "credits" not in amount else parse_decimal(amount["credits"], NANO_DECIMALS)
    most = credit_units(NanoCredits(spent + more))
    if (wanted, str(terms["token"]).lower(), int(terms["max_spend"])) != (more, project.lower(), most):
        raise GatewayRefused(200, "another_offer", "the gateway offers other terms than were asked for")
    voucher = Voucher(
        token=Address(terms["token"]),
        gateway=Address(asked["message"]["gateway"]),
        holder=key.address,
        epoch=terms["epoch"],
        max_spend=CreditUnits(int(terms["max_spend"])),
        deadline=UnixSeconds(terms["deadline"]),
        key_hash=bytes.fromhex(terms["key_hash"][2:]),
    )
    domain = EscrowDomain(int(asked["domain"]["chainId"]), Address(asked["domain"]["verifyingContract"]))
    signed = sign_voucher(voucher, domain, key)
    return {**terms, "signature": "0x" + (signed.r + signed.vs).hex()}
