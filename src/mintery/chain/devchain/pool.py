"""Admits transactions, with geth's refusals, and keeps those that came before their turn."""

from __future__ import annotations

import logging
from typing import Any

from eth.abc import SignedTransactionAPI
from eth_typing import Address
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException

from mintery.chain.devchain.accounts import BLOCK_GAS_LIMIT
from mintery.chain.devchain.codec import hex_bytes
from mintery.chain.devchain.engine import Engine
from mintery.chain.devchain.faults import RpcFault, refused

MAX_QUEUED_PER_SENDER = 64
MAX_INITCODE_BYTES = 49_152
TYPED_FIRST_BYTES = frozenset({b"\x01", b"\x02"})
LEGACY_FIRST_BYTE = b"\xc0"

log = logging.getLogger(__name__)


class Pool:
    """Each transaction is mined as it arrives. One whose nonce is ahead of its sender's waits for the gap to close."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queued: dict[tuple[Address, int], SignedTransactionAPI] = {}

    def decode(self, raw: bytes) -> SignedTransactionAPI:
        """A signed transaction from its EIP-2718 bytes.

        Raises:
            RpcFault: malformed, of a type this chain has not, or signed by nobody.
        """
        if raw[:1] < LEGACY_FIRST_BYTE and raw[:1] not in TYPED_FIRST_BYTES:
            raise refused(f"transaction type not supported: {hex_bytes(raw[:1])}")
        try:
            signed: SignedTransactionAPI = self._engine.transaction_builder.decode(raw)
        except (RLPException, ValidationError, ValueError, TypeError) as error:
            raise refused(f"rlp: cannot decode the transaction: {error}") from error
        return signed

    def submit(self, signed: SignedTransactionAPI) -> bytes:
        """Mine ``signed``, and whatever waited for it, or queue it. Returns its hash.

        Raises:
            RpcFault: refused; nothing changed.
        """
        sender = _sender_of(signed)
        nonce = self._nonce_of(sender)
        if self._queued.get((sender, signed.nonce)) == signed:
            raise refused("already known")
        self._check(signed, sender, nonce)
        if signed.nonce > nonce:
            self._enqueue(signed, sender)
            return bytes(signed.hash)
        self._mine(signed)
        self._queued.pop((sender, signed.nonce), None)
        self._mine_waiting(sender)
        return bytes(signed.hash)

    def find(self, transaction_hash: bytes) -> tuple[SignedTransactionAPI, Address] | None:
        """A queued transaction and its sender."""
        for (sender, _nonce), signed in self._queued.items():
            if signed.hash == transaction_hash:
                return signed, sender
        return None

    def clear(self) -> None:
        self._queued.clear()

    def _nonce_of(self, sender: Address) -> int:
        return int(self._engine.head_state().get_nonce(sender))

    def _check(self, signed: Any, sender: Address, nonce: int) -> None:
        chain_id = self._engine.chain_id
        if signed.chain_id not in {None, chain_id}:
            raise refused(f"invalid sender: invalid chain id for signer: have {signed.chain_id} want {chain_id}")
        if not signed.to and len(signed.data) > MAX_INITCODE_BYTES:
            raise refused(f"max initcode size exceeded: code size {len(signed.data)}, limit {MAX_INITCODE_BYTES}")
        if signed.gas > BLOCK_GAS_LIMIT:
            raise refused("exceeds block gas limit")
        if signed.max_fee_per_gas < signed.max_priority_fee_per_gas:
            raise refused("max priority fee per gas higher than max fee per gas")
        if signed.gas < signed.intrinsic_gas:
            raise refused(f"intrinsic gas too low: gas {signed.gas}, minimum needed {signed.intrinsic_gas}")
        if signed.nonce < nonce:
            raise refused(f"nonce too low: next nonce {nonce}, tx nonce {signed.nonce}")
        balance = self._engine.head_state().get_balance(sender)
        cost = signed.gas * signed.max_fee_per_gas + signed.value
        if balance < cost:
            raise refused(
                f"insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, "
                f"overshot {cost - balance}"
            )
        base_fee = self._engine.next_base_fee()
        if signed.max_fee_per_gas < base_fee:
            raise refused(
                f"max fee per gas less than block base fee: address {hex_bytes(sender)}, "
                f"maxFeePerGas: {signed.max_fee_per_gas}, baseFee: {base_fee}"
            )

    def _enqueue(self, signed: Any, sender: Address) -> None:
        rival: Any = self._queued.get((sender, signed.nonce))
        waiting = sum(queued_sender == sender for queued_sender, _nonce in self._queued)
        if rival is not None and signed.max_fee_per_gas * 10 < rival.max_fee_per_gas * 11:
            raise refused("replacement transaction underpriced")
        if rival is None and waiting >= MAX_QUEUED_PER_SENDER:
            raise refused(f"txpool is full: {MAX_QUEUED_PER_SENDER} transactions of this account wait for a nonce")
        self._queued[sender, signed.nonce] = signed

    def _mine(self, signed: SignedTransactionAPI) -> None:
        try:
            self._engine.mine(signed)
        except ValidationError as error:
            raise refused(f"invalid transaction: {error}") from error

    def _mine_waiting(self, sender: Address) -> None:
        while (signed := self._queued.pop((sender, self._nonce_of(sender)), None)) is not None:
            try:
                self._check(signed, sender, signed.nonce)
                self._mine(signed)
            except RpcFault as fault:
                log.warning("queued transaction dropped: hash=%s why=%s", hex_bytes(signed.hash), fault.message)
                return


def _sender_of(signed: SignedTransactionAPI) -> Address:
    """Raises RpcFault where the signature is nobody's (eth-keys has one error for each way to be wrong)."""
    try:
        signed.check_signature_validity()
    except (ValidationError, ValueError) as error:
        raise refused(f"invalid sender: {error}") from error
    return signed.sender
