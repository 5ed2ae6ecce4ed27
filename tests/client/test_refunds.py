"""A refund over the rail is signed for what was asked for, whatever the gateway asks to have signed."""

from typing import Any

import pytest

from mintery.client import refunds
from mintery.crypto.authorizations import RECEIVE_TYPE, TRANSFER_TYPE
from mintery.crypto.keys import PrivateKey, recover
from mintery.crypto.typed_data import digest_of, typed_data
from mintery.errors import GatewayRefused

KEY, TREASURY = PrivateKey.from_bytes(b"\x01" * 32), PrivateKey.from_bytes(b"\x02" * 32).address
TOKEN, OTHER = "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0", "0x5FbDB2315678afecb367f032d93F642f64180aa3"
FIVE = 5 * 10**18


class Gateway:
    """Offers what it is told to, and keeps what it is sent."""

    def __init__(
        self, *, struct: str = TRANSFER_TYPE, sender: str = KEY.address, value: int = FIVE, at: str = TOKEN
    ) -> None:
        self.asked = typed_data(
            struct, sender, TREASURY, value, 0, 2**40, b"\x07" * 32, name="X", version="1", chain_id=1, contract=at
        )
        self.sent: dict[str, Any] = {}

    def __call__(self, _method: str, url: str, _token: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        if url.endswith("/requests?limit=1"):
            return {"lot": {"token": TOKEN}}
        if url.endswith("/offer"):
            return {"typed_data": self.asked, "signed": {"nonce": "07" * 32}}
        self.sent = body or {}
        return {"id": "rfd_1"}


def take_back(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, way: str = "rail") -> None:
    monkeypatch.setattr(refunds, "call", gateway)
    refunds.take_back("http://here/v1", "token", KEY, 3, credits_="5", way=way)


def test_what_is_signed_is_the_holders_and_what_the_gateway_offered(monkeypatch: pytest.MonkeyPatch):
    gateway = Gateway()

    take_back(gateway, monkeypatch)

    signed = gateway.sent["signed"]
    raw = bytes.fromhex(signed["signature"][2:])
    vs = (int.from_bytes(raw[32:64]) | (raw[64] - 27) << 255).to_bytes(32)
    assert recover(digest_of(gateway.asked), raw[:32], vs) == KEY.address
    assert (gateway.sent["way"], gateway.sent["credits"], signed["nonce"]) == ("rail", "5", "07" * 32)


@pytest.mark.parametrize(
    "wrong", [{"value": FIVE + 1}, {"at": OTHER}, {"sender": TREASURY}, {"struct": RECEIVE_TYPE}], ids=str
)
def test_nothing_else_is_signed(monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]):
    gateway = Gateway(**wrong)

    with pytest.raises(GatewayRefused, match="another signature"):
        take_back(gateway, monkeypatch)
    assert gateway.sent == {}


def test_to_the_wallet_nothing_is_signed_at_all(monkeypatch: pytest.MonkeyPatch):
    gateway = Gateway()

    take_back(gateway, monkeypatch, way="wallet")

    assert gateway.sent == {"way": "wallet", "credits": "5"}
