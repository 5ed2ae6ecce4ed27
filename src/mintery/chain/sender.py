"""Sends transactions of one key, with nonces that hold when several threads and processes share it."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mintery.chain.delivery import Delivered, Delivery, read_refusal
from mintery.chain.rpc import BlockRef, Call, Rpc, TxReceipt
from mintery.crypto.hashing import keccak
from mintery.crypto.keys import PrivateKey, sign_transaction
from mintery.crypto.transactions import read_transaction
from mintery.domain.fees import DUST, Fees, bumped_fees, capped_fees, fees_for
from mintery.domain.voucher import Address
from mintery.errors import (
    RpcRefused,
    RpcUnavailable,
    TransactionMissing,
    TransactionReplaced,
    TransactionReverted,
)
from mintery.units import Wei, ceil_div

_NONCE_ATTEMPTS = 64
_WAIT_SECONDS = 120
_FIRST_POLL, _LAST_POLL = 0.02, 1.0
_NONCE_IS_ANOTHERS = frozenset({Delivery.NONCE_USED, Delivery.NONCE_AHEAD, Delivery.UNDERPRICED})
TRANSACTION_GAS_CAP = 2**24
"""EIP-7825: no transaction may ask for more, wherever that is in force."""

OnSigned = Callable[[bytes, str, int], None]
"""Called with (raw, tx_hash, nonce) before a transaction leaves, so that it can be saved first."""

_locks: dict[tuple[str, Address], threading.Lock] = {}
_locks_guard = threading.Lock()


def _lock_of(rpc: Rpc, address: Address) -> threading.Lock:
    with _locks_guard:
        return _locks.setdefault((rpc.genesis_hash, address), threading.Lock())


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A signed EIP-1559 transaction. Fees are wei per gas; ``hash`` is known before it leaves."""

    call: Call
    nonce: int
    gas: int
    max_fee: Wei
    priority_fee: Wei
    raw: bytes
    hash: str


class Sender:
    """Signs for ``key``, broadcasts and waits. Safe to share between threads."""

    def __init__(self, rpc: Rpc, key: PrivateKey, *, wait_seconds: int = _WAIT_SECONDS) -> None:
        self.rpc = rpc
        self.address = key.address
        self._key = key
        self._wait_seconds = wait_seconds
        self._lock = _lock_of(rpc, key.address)

    def simulate(self, call: Call, *, at: BlockRef | None = None) -> bytes:
        """What the transaction would return.

        Raises:
            TransactionReverted
        """
        return self.rpc.call(call, sender=self.address, at=at)

    def send(
        self, call: Call, *, gas: int | None = None, fees: Fees | None = None, on_signed: OnSigned | None = None
    ) -> TxReceipt:
        """Simulate, sign, broadcast and wait. ``fees``: what every attempt offers; by default what blocks cost then, without a
        cap.

        A nonce that another process took first is replaced by the next one; ``on_signed`` then sees each attempt.

        Raises:
            TransactionReverted: in the simulation (nothing was sent), or in its block.
            TransactionMissing: it is in no block after ``wait_seconds``; it may still come.
        """
        if gas is None:
            gas = self.gas_limit(call)
        else:
            self.simulate(call)
        for _ in range(_NONCE_ATTEMPTS):
            signed = self._sign_and_broadcast(call, gas, fees, on_signed)
            try:
                return self.wait(signed)
            except TransactionReplaced:
                continue
        raise TransactionReplaced(signed.hash, signed.nonce)

    def gas_limit(self, call: Call) -> int:
        """A quarter above the estimate: state may change before the block, and unused gas costs nothing.

        Raises:
            TransactionReverted: it would revert.
        """
        return ceil_div(self.rpc.estimate(call, self.address) * 5, 4)

    def gas_needed(self, call: Call) -> int | None:
        """Gas that ``call`` needs now; None where it is more than the node lets a transaction have.

        Raises:
            TransactionReverted: it would revert.
        """
        try:
            return self.rpc.estimate(call, self.address)
        except RpcRefused as refused:
            if read_refusal(refused).end is Delivery.TOO_LARGE:
                return None
            raise

    def fees_within(self, cap: Wei) -> Fees | None:
        """What to offer now; None where the next block costs more than ``cap``, wei per gas."""
        return capped_fees(self.rpc.block().base_fee, self.rpc.priority_fee(), dust=secrets.randbelow(DUST), cap=cap)

    @contextmanager
    def turn(self) -> Iterator[int]:
        """The key's next free nonce, to be signed with and broadcast before the turn ends.

        Every sender of the key in this process takes turns: who reads a nonce outside of one may find it under another
        transaction, and one of the two then replaces the other. Between processes the node decides: it takes one of them.
        """
        with self._lock:
            yield self.rpc.nonce(self.address, "pending")

    def outbid(self, signed: SignedTransaction, *, cap: Wei | None = None) -> SignedTransaction | None:
        """The same transaction at the same nonce, for at least 12.5 % more and for what blocks cost now, so that nodes take
        it in its place. None where that passes ``cap``, wei per gas.
        """
        before = Fees(signed.max_fee, signed.priority_fee)
        fees = bumped_fees(before, self.rpc.block().base_fee, self.rpc.priority_fee(), cap=cap)
        return None if fees is None else self._signed(signed.call, signed.nonce, signed.gas, fees)

    def sign(self, call: Call, *, gas: int, nonce: int, fees: Fees | None = None) -> SignedTransaction:
        """``fees``: what to offer; by default what blocks cost now, without a cap."""
        if fees is None:
            fees = fees_for(self.rpc.block().base_fee, self.rpc.priority_fee(), dust=secrets.randbelow(DUST))
        return self._signed(call, nonce, gas, fees)

    def restore(self, action: str, raw: bytes) -> SignedTransaction:
        """What was signed before a restart, from its saved bytes; ``wait`` and ``outbid`` take it.

        Raises:
            MalformedInput
        """
        read = read_transaction(raw)
        call = Call(action, read.to, read.calldata, read.value)
        return SignedTransaction(call, read.nonce, read.gas, read.max_fee, read.priority_fee, raw, read.hash)

    def broadcast(self, raw: bytes) -> None:
        """Again is harmless, before and after it is in a block.

        Raises:
            RpcRefused: the node does not take it.
        """
        try:
            self.rpc.broadcast(raw)
        except RpcRefused as error:
            if read_refusal(error).end is not Delivery.TAKEN and not self.rpc.knows("0x" + keccak(raw).hex()):
                raise

    def deliver(self, raw: bytes) -> Delivered:
        """Broadcast, and what came of it in one word; no answer is none of ``raw``'s faults and raises nothing."""
        try:
            self.broadcast(raw)
        except RpcRefused as refused:
            return read_refusal(refused)
        except RpcUnavailable as silent:
            return Delivered(Delivery.MAYBE, str(silent))
        return Delivered(Delivery.TAKEN)

    def wait(self, signed: SignedTransaction) -> TxReceipt:
        """The transaction's receipt.

        Raises:
            TransactionReverted: it failed in its block.
            TransactionReplaced: its nonce went to another transaction, so it never happens.
            TransactionMissing: it is in no block after ``wait_seconds``.
        """
        until = time.monotonic() + self._wait_seconds
        pause = _FIRST_POLL
        while (receipt := self.rpc.receipt(signed.hash)) is None:
            self._check_nonce_is_free(signed)
            if time.monotonic() >= until:
                raise TransactionMissing(signed.hash, self._wait_seconds)
            time.sleep(pause)
            pause = min(2 * pause, _LAST_POLL)
        if not receipt.succeeded:
            raise self._revert_of(signed.call, receipt)
        return receipt

    def _sign_and_broadcast(
        self, call: Call, gas: int, fees: Fees | None, on_signed: OnSigned | None
    ) -> SignedTransaction:
        for _ in range(_NONCE_ATTEMPTS):
            with self.turn() as nonce:
                signed = self.sign(call, gas=gas, nonce=nonce, fees=fees)
                if on_signed is not None:
                    on_signed(signed.raw, signed.hash, signed.nonce)
                try:
                    self.broadcast(signed.raw)
                except RpcRefused as error:
                    if read_refusal(error).end not in _NONCE_IS_ANOTHERS:
                        raise
                else:
                    return signed
        raise TransactionReplaced(signed.hash, signed.nonce)

    def _check_nonce_is_free(self, signed: SignedTransaction) -> None:
        """A used nonce, no receipt and a transaction that the node does not know: another one took its place."""
        if self.rpc.nonce(self.address) <= signed.nonce or self.rpc.knows(signed.hash):
            return
        if self.rpc.receipt(signed.hash) is None:
            raise TransactionReplaced(signed.hash, signed.nonce)

    def _revert_of(self, call: Call, receipt: TxReceipt) -> TransactionReverted:
        """A receipt carries no reason: the call is repeated at its block."""
        paid = receipt.gas_used * receipt.gas_price
        try:
            self.simulate(call, at=self.rpc.block(receipt.block))
        except TransactionReverted as error:
            return TransactionReverted(error.action, error.error, error.arguments, paid=paid)
        return TransactionReverted(call.action, "OutOfGasOrMoved", {"gas_used": receipt.gas_used}, paid=paid)

    def _signed(self, call: Call, nonce: int, gas: int, fees: Fees) -> SignedTransaction:
        raw, tx_hash = sign_transaction(
            self._key,
            {
                "type": 2,
                "chainId": self.rpc.chain_id,
                "nonce": nonce,
                "to": call.to or b"",
                "value": call.value,
                "data": call.calldata,
                "gas": gas,
                "maxFeePerGas": fees.max_fee,
                "maxPriorityFeePerGas": fees.priority_fee,
            },
        )
        return SignedTransaction(call, nonce, gas, fees.max_fee, fees.priority_fee, raw, "0x" + tx_hash.hex())
