"""Contract wallets in a few bytes each, and how they come onto a chain."""

from mintery.chain.rpc import Call
from mintery.chain.sender import Sender
from mintery.crypto.hashing import address_bytes
from mintery.domain.voucher import Address

_MAGIC = "63 1626ba7e 60e0 1b"
OWNED = (
    "36 6020 14 60{owner} 57"  # a call of 32 bytes names the owner
    "6004 35 5f 52 60a4 35 5f 1a 6020 52 6064 35 6040 52 6084 35 6060 52"  # digest, v, r, s of isValidSignature
    "6020 6080 6080 5f 6001 5a fa 50"  # ecrecover
    f"6080 51 5f 54 14 {_MAGIC} 02 5f 52 6020 5f f3"  # the magic value where it is the owner's
    "5b 5f 35 5f 55 00"
)
"""A wallet of one owner, whom anyone may change: it is a test's."""
ACCEPTS = f"{_MAGIC} 5f 52 6020 5f f3"
NEVER_ENDS = "5b 5f 56"
REVERTS = f"{_MAGIC} 5f 52 6020 5f fd"
SAYS_LITTLE = f"{_MAGIC} 5f 52 6004 5f f3"
SAYS_MUCH = f"{_MAGIC} 5f 52 620186a0 5f f3"
"""The magic value and a hundred thousand bytes behind it."""
SAYS_ONE = "6001 5f 52 6020 5f f3"
WRITES = f"6001 5f 55 {_MAGIC} 5f 52 6020 5f f3"
LOW_BYTES = "63 1626ba7e 5f 52 6020 5f f3"
"""The magic value as a number, not as bytes4."""


def code_of(text: str) -> bytes:
    owner = len(bytes.fromhex(text.partition("5b 5f 35")[0].format(owner="00")))
    return bytes.fromhex(text.format(owner=f"{owner:02x}"))


def deploy_code(sender: Sender, text: str) -> Address:
    code = code_of(text)
    creation = bytes.fromhex(f"60{len(code):02x} 80 6009 5f 39 5f f3") + code
    created = sender.send(Call("wallet", None, creation)).created
    assert created is not None
    return created


def name_owner(sender: Sender, wallet: Address, owner: Address) -> None:
    sender.send(Call("owner", wallet, address_bytes(owner).rjust(32, b"\0")))
