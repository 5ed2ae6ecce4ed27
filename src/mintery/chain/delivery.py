"""What a node said to a broadcast, in one word. Nodes of different makes say it differently."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mintery.errors import RpcRefused

BROADCAST = "eth_sendRawTransaction"


class Delivery(StrEnum):
    TAKEN = "taken"
    """It waits for a block, or is in one; also when the node had it before."""
    MAYBE = "maybe"
    """No answer in time: it may have been taken. Its hash tells later."""
    NONCE_USED = "nonce_used"
    """The key's nonce is in a block: by this very call sent before, or by another transaction."""
    NONCE_AHEAD = "nonce_ahead"
    """Transactions of the key before this one are missing."""
    UNDERPRICED = "underpriced"
    """Another transaction with this nonce waits and offers more, or the fee is below what the node takes."""
    FUNDS_MISSING = "funds_missing"
    """The key cannot pay the most that the transaction may cost."""
    TOO_LARGE = "too_large"
    """More gas or bytes than a block or the node takes."""
    REFUSED = "refused"
    """Something else; the words say what."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """``said``: the node's own words, empty where it took the transaction."""

    end: Delivery
    said: str = ""


_NEVER = frozenset(
    {Delivery.FUNDS_MISSING, Delivery.TOO_LARGE, Delivery.NONCE_USED, Delivery.NONCE_AHEAD, Delivery.UNDERPRICED}
)
KNOWN = ("already known", "already imported", "known transaction", "alreadyknown")
_WORDS: Mapping[Delivery, tuple[str, ...]] = {
    Delivery.TAKEN: KNOWN,
    Delivery.FUNDS_MISSING: ("insufficient funds", "insufficient balance"),
    Delivery.UNDERPRICED: (
        "underpriced",
        "less than block base fee",
        "fee too low",
        "fee cap less than",
        "below base fee",
    ),
    Delivery.NONCE_USED: ("nonce too low", "oldnonce", "invalid nonce", "nonce has already been used"),
    Delivery.NONCE_AHEAD: ("nonce too high", "nonce gap", "nonce too distant"),
    Delivery.TOO_LARGE: (
        "exceeds block gas limit",
        "gas limit reached",
        "oversized data",
        "gas limit too high",
        "intrinsic gas too high",
        "gas required exceeds",
        "out of gas",
        "max initcode",
    ),
}


def surely_not_taken(refused: RpcRefused) -> bool:
    """Whether it refuses a broadcast, and in words that say so: others may come of a request that was passed on."""
    return refused.method == BROADCAST and read_refusal(refused).end in _NEVER


def read_refusal(refused: RpcRefused) -> Delivered:
    said = refused.message.lower()
    for end, words in _WORDS.items():
        if any(each in said for each in words):
            return Delivered(end, refused.message)
    return Delivered(Delivery.REFUSED, refused.message)
