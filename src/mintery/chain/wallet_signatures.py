"""What a contract wallet says of a signature (ERC-1271), asked as ``WalletSignatures.sol`` asks it.

The wallet's code is the signer's own, so it is trusted with the answer and with nothing else. The question goes through a call
that creates nothing: its creation code calls the wallet without the right to write and with so much gas, and answers one word,
however much the wallet returns.
"""

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from mintery.chain.rpc import BlockRef, Call, Rpc
from mintery.crypto.hashing import keccak
from mintery.domain.voucher import Address
from mintery.errors import MalformedInput

GAS_CAP = 500_000
"""Room for a multisig, or for a passkey verified in Solidity: the contracts' own."""
MOST_SIGNATURE_BYTES = 4_096
"""A multisig's is 65 bytes for each of its owners; a passkey's about one thousand."""

_SELECTOR = keccak(b"isValidSignature(bytes32,bytes)")[:4]
_ACCEPTED = _SELECTOR + bytes(28)
_DELEGATION = bytes.fromhex("ef0100")
_DELEGATION_BYTES = 23
_COUNTERFACTUAL = bytes.fromhex("6492" * 16)

_PARTS = (
    "60{question} 38 03",  # stack: bytes of the question, which stands behind this program
    "80 60{question} 5f 39",  # the question to memory 0
    "6020 5f 82 5f 73{wallet} 62{gas} fa",  # staticcall; the first word of its answer to memory 0
    "601f 3d 11 16",  # whether it returned, and a word at least
    "5f 51 02 5f 52",  # that word, or zero
    "6020 5f f3",
)


def is_contract(code: bytes) -> bool:
    """Whether an address with this code is a contract. One that EIP-7702 delegates is none: its key signs as before."""
    return bool(code) and not (len(code) == _DELEGATION_BYTES and code.startswith(_DELEGATION))


def is_counterfactual(signature: bytes) -> bool:
    """Whether it is in ERC-6492's wrapping, of a wallet that may not be deployed yet."""
    return signature.endswith(_COUNTERFACTUAL)


def unwrapped(signature: bytes) -> bytes:
    """What a deployed wallet is asked about: the signature itself, without ERC-6492's wrapping.

    Raises:
        MalformedInput
    """
    if not is_counterfactual(signature):
        return signature
    try:
        _, _, inner = decode(["address", "bytes", "bytes"], signature[: -len(_COUNTERFACTUAL)])
    except (DecodingError, OverflowError):
        raise MalformedInput("what ERC-6492 wraps cannot be read") from None
    return bytes(inner)


def accepts(rpc: Rpc, wallet: Address, digest: bytes, signature: bytes, *, at: BlockRef) -> bool:
    """Whether the contract at ``wallet`` says that ``signature`` of ``digest`` is its own, at a block.

    Raises:
        RpcUnavailable, RpcRefused, RpcsDisagree
    """
    question = _SELECTOR + encode(["bytes32", "bytes"], [digest, signature])
    return rpc.call(Call("ERC1271.isValidSignature", None, _program(wallet) + question), at=at) == _ACCEPTED


def _program(wallet: Address) -> bytes:
    filled = {"wallet": wallet[2:], "gas": f"{GAS_CAP:06x}"}
    text = "".join(_PARTS)
    length = len(bytes.fromhex(text.format(question="00", **filled)))
    return bytes.fromhex(text.format(question=f"{length:02x}", **filled))
