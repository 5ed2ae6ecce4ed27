"""Take back what is left of a top-up, for programs that have the holder's own key. ``base_url`` ends in ``/v1``."""

from typing import Any

from mintery.client.calls import call
from mintery.crypto.keys import PrivateKey
from mintery.crypto.typed_data import digest_of
from mintery.errors import GatewayRefused
from mintery.units import NANO_DECIMALS, NanoCredits, credit_units, parse_decimal


def lot_with(base_url: str, token: str, lot: int) -> dict[str, Any]:
    """The lot, as ``/v1/wallet/lots`` shows it. Raises GatewayRefused (UnknownOrder), GatewayUnreachable."""
    told: dict[str, Any] = call("GET", f"{base_url}/wallet/lots/{lot}/requests?limit=1", token)["lot"]
    return told


def list_refunds(base_url: str, token: str, lot: int) -> dict[str, Any]:
    """What of it was asked back, and where it is."""
    return call("GET", f"{base_url}/wallet/lots/{lot}/refunds", token)


def take_back(base_url: str, token: str, key: PrivateKey, lot: int, *, credits_: str, way: str) -> dict[str, Any]:
    """``way``: ``wallet`` or ``rail``. Over the rail the holder signs that so many credits go to the gateway's treasury: these, of
    this lot's token and out of the signer's own wallet, whatever the gateway asks to have signed.

    Raises:
        GatewayRefused, GatewayUnreachable
    """
    asked: dict[str, Any] = {"way": way, "credits": credits_}
    if way == "rail":
        shown = lot_with(base_url, token, lot)
        offer = call("POST", f"{base_url}/wallet/lots/{lot}/refund/offer", token, asked)
        _check_offer(offer, key, project=shown["token"], credits_=credits_)
        signature = key.sign_digest(digest_of(offer["typed_data"])).long
        asked["signed"] = {**offer["signed"], "signature": "0x" + signature.hex()}
    return call("POST", f"{base_url}/wallet/lots/{lot}/refund", token, asked)


def _check_offer(offer: dict[str, Any], key: PrivateKey, *, project: str, credits_: str) -> None:
    data = offer["typed_data"]
    message, wanted = data["message"], credit_units(NanoCredits(parse_decimal(credits_, NANO_DECIMALS)))
    offered = (
        data["primaryType"],
        str(data["domain"]["verifyingContract"]).lower(),
        str(message["from"]).lower(),
        int(message["value"]),
    )
    if offered != ("TransferWithAuthorization", project.lower(), key.address.lower(), wanted):
        raise GatewayRefused(200, "another_offer", "the gateway asks for another signature than this refund needs")
