"""What nodes of different makes say, in one word each. Texts: geth, anvil, Nethermind, Besu, Erigon, and the dev chain."""

import pytest

from mintery.chain.delivery import Delivery, read_refusal
from mintery.errors import RpcRefused


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ("already known", Delivery.TAKEN),
        ("AlreadyKnown", Delivery.TAKEN),
        ("transaction already imported", Delivery.TAKEN),
        ("Known transaction", Delivery.TAKEN),
        ("nonce too low: next nonce 5, tx nonce 4", Delivery.NONCE_USED),
        ("OldNonce, Current nonce: 5, nonce of rejected tx: 4", Delivery.NONCE_USED),
        ("nonce too high", Delivery.NONCE_AHEAD),
        ("replacement transaction underpriced", Delivery.UNDERPRICED),
        ("transaction underpriced: tip needed 1000000000, tip permitted 1", Delivery.UNDERPRICED),
        ("max fee per gas less than block base fee: address 0x00", Delivery.UNDERPRICED),
        ("insufficient funds for gas * price + value: balance 0, tx cost 1", Delivery.FUNDS_MISSING),
        ("Insufficient funds for gas * price + value", Delivery.FUNDS_MISSING),
        ("exceeds block gas limit", Delivery.TOO_LARGE),
        ("gas required exceeds allowance (30000000)", Delivery.TOO_LARGE),
        ("oversized data: transaction size 140000, limit 131072", Delivery.TOO_LARGE),
        ("limit exceeded", Delivery.REFUSED),
    ],
)
def test_a_refusal_is_read(said: str, end: Delivery):
    delivered = read_refusal(RpcRefused("eth_sendRawTransaction", -32_000, said))

    assert delivered.end is end
    assert delivered.said == said
