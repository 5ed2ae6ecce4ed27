"""Receipts: their digest, their signature, and the root that a batch carries of them."""

from mintery.crypto.eip712 import domain_separator, hash_struct, typed_digest
from mintery.crypto.hashing import keccak
from mintery.crypto.keys import PrivateKey, recover
from mintery.domain.receipt import Receipt, canonical_facts
from mintery.errors import InvalidSignature, ReceiptRefused
from mintery.units import credit_units

RECEIPT_TYPE = (
    "Receipt(bytes16 id,address token,address gateway,address holder,address signer,"
    "uint32 epoch,uint96 credits,uint40 capturedAt,bytes32 usageHash)"
)


def receipt_id_bytes(receipt: Receipt) -> bytes:
    """The 16 bytes behind ``req_…``."""
    return bytes.fromhex(receipt.id.removeprefix("req_"))


def receipt_digest(receipt: Receipt) -> bytes:
    """EIP-712 digest; ``usageHash`` is keccak256 of the receipt's canonical facts, so it covers every field."""
    account = receipt.account
    return typed_digest(
        domain_separator("Mintery", "1", receipt.domain.chain_id, receipt.domain.escrow),
        hash_struct(
            RECEIPT_TYPE,
            receipt_id_bytes(receipt),
            account.token,
            account.gateway,
            account.holder,
            account.signer,
            receipt.epoch,
            credit_units(receipt.cost),
            int(receipt.captured_at.timestamp()),
            keccak(canonical_facts(receipt)),
        ),
    )


def sign_receipt(receipt: Receipt, settler: PrivateKey) -> Receipt:
    """Deterministic: the same receipt always carries the same signature."""
    return receipt.signed(settler.sign_digest(receipt_digest(receipt)).compact)


def check_receipt_signature(receipt: Receipt) -> None:
    """Raises ReceiptRefused unless the settler that the receipt names signed it."""
    if receipt.signature is None or len(receipt.signature) != 64:
        raise ReceiptRefused("it carries no signature")
    try:
        signer = recover(receipt_digest(receipt), receipt.signature[:32], receipt.signature[32:])
    except InvalidSignature as error:
        raise ReceiptRefused(str(error)) from None
    if signer != receipt.settler:
        raise ReceiptRefused(f"it was not signed by the settler it names, {receipt.settler}, or was changed afterwards")


def merkle_root(digests: list[bytes]) -> bytes:
    """Root over receipt digests, sorted; leaves are hashed twice, pairs in sorted order (as OpenZeppelin's MerkleProof).

    32 zero bytes when there is none.
    """
    layer = sorted(keccak(keccak(digest)) for digest in digests)
    if not layer:
        return bytes(32)
    while len(layer) > 1:
        pairs = [layer[i : i + 2] for i in range(0, len(layer), 2)]
        layer = [keccak(b"".join(sorted(pair))) if len(pair) == 2 else pair[0] for pair in pairs]
    return layer[0]
