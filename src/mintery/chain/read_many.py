"""Many accounts of the escrow in one eth_call, on any chain and without a contract of ours for it.

The call creates nothing: its creation code asks ``accountOf`` for each of the ids behind it and returns one word for each.
That is bounded by the largest code that may be created (24,576 bytes), and so is how many accounts go into one call.
"""

from collections.abc import Sequence

from mintery.chain.rpc import Call
from mintery.domain.voucher import Address

AT_ONCE = 700
WORD = 32
_HEAD = 24
"""Bytes between the program and the ids: the contract's address and the function's selector."""

_PARTS = (
    "6004 60{selector} 6000 39",  # the selector to memory 0
    "6014 60{program} 608c 39",  # the contract's address to the word at 0x80
    "610100 60{ids}",  # stack: where the next word goes, where the next id is
    "5b 38 81 10 15 60{done} 57",  # loop: while there is an id
    "6020 81 6004 39",  # the id behind the selector
    "6060 60a0 6024 6000 608051 5a fa 15 60{fail} 57",  # staticcall; the first three words of its answer to 0xa0
    "6060 3d 10 60{fail} 57",  # fewer than three words: no such contract
    "60a051 60801b 60c051 60201b 17 60e051 17",  # balance << 128 | spent << 32 | epoch
    "82 52 6020 01 90 6020 01 90 60{loop} 56",  # store it, go on
    "5b 50 610100 90 03 610100 f3",  # done: return the words
    "5b 5f 5f fd",  # fail
)


def _sizes() -> list[int]:
    return [len(bytes.fromhex(part.format(**dict.fromkeys(_LABELS, "00")))) for part in _PARTS]


_LABELS = ("selector", "program", "ids", "done", "fail", "loop")
_LOOP, _DONE, _FAIL = 3, 9, 10


def _program() -> bytes:
    sizes = _sizes()
    length = sum(sizes)
    places = {
        "program": length,
        "selector": length + _HEAD - 4,
        "ids": length + _HEAD,
        "loop": sum(sizes[:_LOOP]),
        "done": sum(sizes[:_DONE]),
        "fail": sum(sizes[:_FAIL]),
    }
    return bytes.fromhex("".join(_PARTS).format(**{name: f"{place:02x}" for name, place in places.items()}))


def read_accounts_call(escrow: Address, selector: bytes, ids: Sequence[bytes]) -> Call:
    """At most ``AT_ONCE`` account ids, 32 bytes each. Answers one word for each: balance 96, spent 96, epoch 32 bits."""
    code = _program() + bytes.fromhex(escrow[2:]) + selector + b"".join(ids)
    return Call("SpendEscrow.accountOf", None, code)


def split_words(answer: bytes) -> list[tuple[int, int, int]]:
    """(balance, spent, epoch) of each account."""
    words = (int.from_bytes(answer[at : at + WORD]) for at in range(0, len(answer), WORD))
    return [(word >> 128, word >> 32 & (2**96 - 1), word & (2**32 - 1)) for word in words]
