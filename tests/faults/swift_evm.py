"""Runs EVM code several times as fast as py-evm's loop: straight pieces of code become Python functions.

A piece ends where its code jumps, halts, or does what py-evm's own functions do: storage, calls, logs, copies. Its gas is
taken at once; where that or the stack does not suffice, py-evm's functions go step by step and say what is wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from eth.exceptions import Halt, InvalidJumpDestination
from eth.vm.computation import BaseComputation
from eth.vm.logic.invalid import InvalidOpcode
from eth_hash.auto import keccak

_MASK = (1 << 256) - 1
_SIGN = 1 << 255
_STACK = 1_024
_JUMP, _JUMPI, _JUMPDEST = 0x56, 0x57, 0x5B
_PUSH0, _PUSH32 = 0x5F, 0x7F
_DUP1, _DUP16, _SWAP1, _SWAP16 = 0x80, 0x8F, 0x90, 0x9F

_OF_TWO = {
    0x01: (3, f"({{a}} + {{b}}) & {_MASK}"),
    0x02: (5, f"({{a}} * {{b}}) & {_MASK}"),
    0x03: (3, f"({{a}} - {{b}}) & {_MASK}"),
    0x04: (5, "{a} // {b} if {b} else 0"),
    0x06: (5, "{a} % {b} if {b} else 0"),
    0x10: (3, "1 if {a} < {b} else 0"),
    0x11: (3, "1 if {a} > {b} else 0"),
    0x12: (3, f"1 if {{a}} ^ {_SIGN} < {{b}} ^ {_SIGN} else 0"),
    0x13: (3, f"1 if {{a}} ^ {_SIGN} > {{b}} ^ {_SIGN} else 0"),
    0x14: (3, "1 if {a} == {b} else 0"),
    0x16: (3, "{a} & {b}"),
    0x17: (3, "{a} | {b}"),
    0x18: (3, "{a} ^ {b}"),
    0x1A: (3, "{b} >> 8 * (31 - {a}) & 255 if {a} < 32 else 0"),
    0x1B: (3, f"{{b}} << {{a}} & {_MASK} if {{a}} < 256 else 0"),
    0x1C: (3, "{b} >> {a} if {a} < 256 else 0"),
    0x20: (30, "hashed(c, {a}, {b})"),
}
"""Gas, and the result of the uppermost value ``a`` and the one below."""
_OF_ONE = {
    0x15: (3, "0 if {a} else 1"),
    0x19: (3, f"{{a}} ^ {_MASK}"),
    0x35: (3, "calldata(c, {a})"),
    0x51: (3, "load(c, {a})"),
}
_OF_NONE = {
    0x30: (2, "number(c.msg.storage_address, 'big')"),
    0x33: (2, "number(c.msg.sender, 'big')"),
    0x34: (2, "c.msg.value"),
    0x36: (2, "len(c.msg.data)"),
    0x3D: (2, "len(c.return_data)"),
}
_MSTORE, _POP = 0x52, 0x50


class Piece(NamedTuple):
    """``run`` is None where py-evm's function comes first. It returns where the code goes on.

    ``slow``: what it ends at, at ``ends``, is py-evm's to do.
    """

    run: Callable[[Any, list[Any]], int] | None
    gas: int
    needs: int
    grows: int
    slow: bool
    ends: int


@dataclass(slots=True)
class _Code:
    raw: bytes
    jumps: frozenset[int]
    pieces: dict[int, Piece]


_codes: dict[bytes, _Code] = {}


def use_swift_evm() -> None:
    """In this process and its forks."""
    BaseComputation.apply_computation = classmethod(_apply_computation)


def write_known_code() -> None:
    """Every piece of what has been run so far, so that no fork has to."""
    for code in _codes.values():
        for start in (0, *sorted(code.jumps)):
            at = start
            while at < len(code.raw) and at not in code.pieces:
                piece = _piece(code, at)
                at = piece.ends + 1 if piece.slow else piece.ends


def _apply_computation(
    cls: Any, state: Any, message: Any, transaction_context: Any, parent_computation: Any = None
) -> Any:
    """As ``BaseComputation.apply_computation``."""
    with cls(state, message, transaction_context) as computation:
        if computation.is_origin_computation:
            computation.contracts_created = []
            if message.is_create:
                cls.consume_initcode_gas_cost(computation)
        if parent_computation is not None:
            computation.contracts_created = parent_computation.contracts_created
        if message.is_create:
            computation.contracts_created.append(message.storage_address)
        if message.code_address in computation.precompiles:
            if not message.is_delegation:
                computation.precompiles[message.code_address](computation)
            return computation
        _run(computation)
    return computation


def _run(computation: Any) -> None:
    stream, meter, values = computation.code, computation._gas_meter, computation._stack.values
    code = _code_of(stream._raw_code_bytes)
    pieces, raw, functions = code.pieces, code.raw, computation.opcodes
    while True:
        at = stream.program_counter
        piece = pieces.get(at) or _piece(code, at)
        run, gas, needs, grows, slow, _ = piece
        if run is not None:
            if meter.gas_remaining < gas or len(values) < needs or len(values) + grows > _STACK:
                break
            meter.gas_remaining -= gas
            at = stream.program_counter = run(computation, values)
        if slow:
            opcode = raw[at] if at < len(raw) else 0
            stream.program_counter = at + 1
            try:
                (functions.get(opcode) or InvalidOpcode(opcode))(computation=computation)
            except Halt:
                return
    _step_by_step(computation)


def _step_by_step(computation: Any) -> None:
    for opcode in computation.code:
        try:
            (computation.opcodes.get(opcode) or InvalidOpcode(opcode))(computation=computation)
        except Halt:
            return


def _code_of(raw: bytes) -> _Code:
    code = _codes.get(raw)
    if code is None:
        jumps, at = set(), 0
        while at < len(raw):
            opcode = raw[at]
            if opcode == _JUMPDEST:
                jumps.add(at)
            at += 1 + (opcode - _PUSH0 if _PUSH0 <= opcode <= _PUSH32 else 0)
        code = _codes[raw] = _Code(raw, frozenset(jumps), {})
    return code


def _piece(code: _Code, start: int) -> Piece:
    piece = code.pieces[start] = _Writing(code, start).piece()
    return piece


class _Writing:
    """One piece as it is written. ``stack`` holds names and numbers; what lies below it is taken as it is needed."""

    def __init__(self, code: _Code, start: int) -> None:
        self.code, self.at = code, start
        self.gas = self.taken = self.highest = self.names = 0
        self.stack: list[str] = []
        self.lines: list[str] = []

    def piece(self) -> Piece:
        start, raw = self.at, self.code.raw
        goes_on, slow = "", True
        while self.at < len(raw):
            opcode = raw[self.at]
            if opcode in {_JUMP, _JUMPI}:
                goes_on, slow = self.jump(opcode), False
                break
            if opcode == _JUMPDEST and self.at != start:
                slow = False
                break
            if not self.write(opcode):
                break
            self.highest = max(self.highest, len(self.stack) - self.taken)
        if self.at == start and not goes_on:
            return Piece(None, 0, 0, 0, slow=True, ends=self.at)
        run = self.compiled(goes_on or f"return {self.at}")
        ends = self.at + 1 if goes_on else self.at
        return Piece(run, self.gas, self.taken, max(self.highest, 0), slow, ends)

    def write(self, opcode: int) -> bool:
        """False where the piece ends before this."""
        if _PUSH0 <= opcode <= _PUSH32:
            size = opcode - _PUSH0
            self.gas += 3 if size else 2
            pushed = self.code.raw[self.at + 1 : self.at + 1 + size].ljust(size, b"\0")
            self.stack.append(str(int.from_bytes(pushed, "big")))
            self.at += 1 + size
            return True
        if not (self.moves(opcode) or self.computes(opcode)):
            return False
        self.at += 1
        return True

    def moves(self, opcode: int) -> bool:
        if _DUP1 <= opcode <= _DUP16:
            self.gas += 3
            self.reach(opcode - _DUP1 + 1)
            self.stack.append(self.stack[_DUP1 - opcode - 1])
        elif _SWAP1 <= opcode <= _SWAP16:
            self.gas += 3
            deep = opcode - _SWAP1 + 2
            self.reach(deep)
            self.stack[-1], self.stack[-deep] = self.stack[-deep], self.stack[-1]
        elif opcode == _POP:
            self.gas += 2
            self.pop()
        elif opcode == _JUMPDEST:
            self.gas += 1
        else:
            return False
        return True

    def computes(self, opcode: int) -> bool:
        if opcode in _OF_TWO:
            self.result(_OF_TWO[opcode], a=self.pop(), b=self.pop())
        elif opcode in _OF_ONE:
            self.result(_OF_ONE[opcode], a=self.pop())
        elif opcode in _OF_NONE:
            self.result(_OF_NONE[opcode])
        elif opcode == _MSTORE:
            self.gas += 3
            self.lines.append(f"store(c, {self.pop()}, {self.pop()})")
        else:
            return False
        return True

    def jump(self, opcode: int) -> str:
        self.gas += 8 if opcode == _JUMP else 10
        to = self.pop()
        if opcode == _JUMP:
            return f"return {self.checked(to)}"
        return f"return {self.checked(to)} if {self.pop()} else {self.at + 1}"

    def checked(self, to: str) -> str:
        return to if to.isdigit() and int(to) in self.code.jumps else f"jump(jumps, {to})"

    def result(self, told: tuple[int, str], **operands: str) -> None:
        gas, expression = told
        self.gas += gas
        self.names += 1
        self.lines.append(f"v{self.names} = {expression.format(**operands)}")
        self.stack.append(f"v{self.names}")

    def reach(self, deep: int) -> None:
        while len(self.stack) < deep:
            self.taken += 1
            self.stack.insert(0, f"x{self.taken}")

    def pop(self) -> str:
        self.reach(1)
        return self.stack.pop()

    def compiled(self, goes_on: str) -> Callable[[Any, list[Any]], int]:
        lines = []
        for number in range(1, self.taken + 1):
            lines.append(f"x{number} = s[-{number}]")
            lines.append(f"if x{number}.__class__ is not int: x{number} = number(x{number}, 'big')")
        lines += self.lines
        # What stayed where it was need not be written again.
        kept = 0
        while kept < min(self.taken, len(self.stack)) and self.stack[kept] == f"x{self.taken - kept}":
            kept += 1
        if self.taken > kept:
            lines.append(f"del s[-{self.taken - kept}:]")
        new = self.stack[kept:]
        if len(new) == 1:
            lines.append(f"s.append({new[0]})")
        elif new:
            lines.append(f"s += ({', '.join(new)})")
        body = "\n ".join([*lines, goes_on])
        scope = {**_NEEDED, "jumps": self.code.jumps}
        exec(f"def run(c, s):\n {body}", scope)  # noqa: S102 -- made here, of numbers and names of ours
        run: Callable[[Any, list[Any]], int] = scope["run"]
        return run


def _jump(jumps: frozenset[int], to: int) -> int:
    if to not in jumps:
        raise InvalidJumpDestination("Invalid Jump Destination")
    return to


def _calldata(computation: Any, at: int) -> int:
    return int.from_bytes(bytes(computation.msg.data[at : at + 32]).ljust(32, b"\0"), "big")


def _load(computation: Any, at: int) -> int:
    memory = computation._memory
    if at + 32 > len(memory._bytes):
        computation.extend_memory(at, 32)
    return int.from_bytes(memory._bytes[at : at + 32], "big")


def _store(computation: Any, at: int, value: int) -> None:
    memory = computation._memory
    if at + 32 > len(memory._bytes):
        computation.extend_memory(at, 32)
    memory._bytes[at : at + 32] = value.to_bytes(32, "big")


def _hashed(computation: Any, at: int, size: int) -> int:
    computation.extend_memory(at, size)
    computation.consume_gas(6 * (-(-size // 32)), reason="SHA3: word gas cost")
    return int.from_bytes(keccak(bytes(computation._memory._bytes[at : at + size])), "big")


_NEEDED = {
    "number": int.from_bytes,
    "jump": _jump,
    "calldata": _calldata,
    "load": _load,
    "store": _store,
    "hashed": _hashed,
}
