"""Runs a message against a state and throws the changes away: ``eth_call`` and ``eth_estimateGas``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from eth.abc import StateAPI
from eth.exceptions import OutOfGas, Revert
from eth.vm.forks.cancun.state import CancunTransactionExecutor
from eth.vm.spoof import SpoofTransaction
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_typing import Address

from mintery.chain.devchain.codec import hex_bytes
from mintery.chain.devchain.faults import EXECUTION_REVERTED, RpcFault, refused

ERROR_STRING = bytes.fromhex("08c379a0")
PANIC = bytes.fromhex("4e487b71")
CALL_STIPEND = 2300
TRANSFER_GAS = 21_000


@dataclass(frozen=True, slots=True)
class Message:
    """What a caller asks to run. ``to`` None creates a contract; value is in wei; gas is the limit."""

    sender: Address
    to: Address | None
    value: int
    body: bytes
    gas: int
    access_list: tuple[tuple[bytes, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """``error`` is py-evm's, None on success. ``gas_limit_used`` is what was needed before refunds."""

    output: bytes
    gas_limit_used: int
    error: Exception | None


class _FreeExecutor(CancunTransactionExecutor):
    """A caller needs neither ether nor the right nonce to ask a question."""

    def validate_transaction(self, transaction: Any) -> None:
        """Let every caller through; ``run`` checks what a call must still satisfy."""


def run(builder: Any, state: StateAPI, message: Message) -> Outcome:
    """Execute ``message`` on ``state`` and leave the state as it was.

    Raises:
        RpcFault: the value exceeds the sender's balance, or gas is below the intrinsic cost.
    """
    if message.value and state.get_balance(message.sender) < message.value:
        raise refused(f"insufficient funds for transfer: address {hex_bytes(message.sender)}")
    call = SpoofTransaction(
        builder.new_unsigned_dynamic_fee_transaction(
            chain_id=1,  # an unsigned call is bound to no chain; the state's context holds the id contracts see
            nonce=0,
            max_priority_fee_per_gas=0,
            max_fee_per_gas=0,
            gas=message.gas,
            to=message.to or b"",
            value=message.value,
            data=message.body,
            access_list=message.access_list,
        ),
        from_=message.sender,
    )
    if (needed := call.intrinsic_gas) > message.gas:
        raise refused(f"intrinsic gas too low: have {message.gas}, want {needed}")
    snapshot = state.snapshot()
    try:
        computation = _FreeExecutor(state)(call)
        error = computation.error if computation.is_error else None
        return Outcome(computation.output, message.gas - computation.get_gas_remaining(), error)
    finally:
        state.revert(snapshot)


def output_of(outcome: Outcome) -> bytes:
    """The return bytes, or the fault geth would answer with."""
    if outcome.error is None:
        return outcome.output
    raise fault_of(outcome.error, outcome.output)


def fault_of(error: Exception, output: bytes) -> RpcFault:
    """A revert carries its bytes, so clients can decode custom errors; other failures only have words."""
    if isinstance(error, Revert):
        reason = _reason(output)
        text = "execution reverted" + (f": {reason}" if reason else "")
        return RpcFault(EXECUTION_REVERTED, text, hex_bytes(output))
    if isinstance(error, OutOfGas):
        return refused("out of gas")
    return refused(f"{type(error).__name__}: {error}")


def estimate(builder: Any, state: StateAPI, message: Message) -> int:
    """A gas limit at most 1.6 % above the least under which ``message`` succeeds; ``message.gas`` is the cap.

    Gas used is often that least limit; a 64th more allows for what other transactions change in between. Where it is
    not enough (a nested call keeps a 64th back, EIP-150, and a contract may look at its remaining gas), search.

    Raises:
        RpcFault: it fails even with the cap, with the revert's bytes where it reverts.
    """
    if _is_plain_transfer(state, message):
        transfer = replace(message, gas=TRANSFER_GAS)
        if run(builder, state, transfer).error is None:
            return TRANSFER_GAS
    first = run(builder, state, message)
    output_of(first)

    def succeeds(gas: int) -> bool:
        return run(builder, state, replace(message, gas=gas)).error is None

    used = first.gas_limit_used
    if succeeds(used):
        return min(used + used // 64, message.gas)
    low, high = used, message.gas
    optimistic = (used + CALL_STIPEND) * 64 // 63
    if optimistic < high:
        low, high = (low, optimistic) if succeeds(optimistic) else (optimistic, high)
    while (high - low) * 200 > high * 3:
        middle = min((low + high) // 2, low * 2)
        low, high = (low, middle) if succeeds(middle) else (middle, high)
    return high


def _is_plain_transfer(state: StateAPI, message: Message) -> bool:
    if message.to is None or message.body or message.access_list or message.gas < TRANSFER_GAS:
        return False
    return not state.get_code(message.to)


def _reason(output: bytes) -> str | None:
    try:
        if output[:4] == ERROR_STRING:
            return str(decode(["string"], output[4:])[0])
        if output[:4] == PANIC:
            return f"panic code 0x{decode(['uint256'], output[4:])[0]:02x}"
    except (DecodingError, UnicodeDecodeError):
        return None
    return None
