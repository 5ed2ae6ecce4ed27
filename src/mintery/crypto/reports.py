"""What a price reporter signs."""

from mintery.crypto.eip712 import domain_separator, hash_struct, typed_digest
from mintery.crypto.keys import Signature, recover
from mintery.domain.voucher import Address

REPORT_TYPE = "PriceReport(bytes32 configDigest,uint32 epoch,uint40 observedAt,bytes changed,bytes unchanged)"


def report_digest(
    *, chain_id: int, oracle: str, config: bytes, epoch: int, observed_at: int, changed: bytes, unchanged: bytes
) -> bytes:
    """Equal to ``PriceOracle.reportDigest``; ``config`` is the oracle's 32-byte config digest."""
    return typed_digest(
        domain_separator("Mintery Prices", "1", chain_id, oracle),
        hash_struct(REPORT_TYPE, config, epoch, observed_at, changed, unchanged),
    )


def report_signer(digest: bytes, signature: Signature) -> Address:
    """Raises InvalidSignature."""
    return recover(digest, signature.r, signature.vs)
