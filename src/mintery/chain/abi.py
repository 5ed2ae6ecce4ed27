"""Contract ABIs: calls, results, events and errors to bytes and back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from mintery.crypto.hashing import checksum_address, keccak

AbiEntry = Mapping[str, Any]
WORD = 32
SELECTOR = 4


def _type_of(parameter: AbiEntry) -> str:
    """The canonical type: tuples written out, so that two ABIs of one signature hash alike."""
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(_type_of(part) for part in parameter["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def _typed(parameter: AbiEntry, value: Any) -> Any:
    """Addresses checksummed, structs as dicts by field name, everything else as eth_abi gives it."""
    kind: str = parameter["type"]
    if kind.endswith("]"):
        element = {**parameter, "type": kind[: kind.rindex("[")]}
        return tuple(_typed(element, item) for item in value)
    if kind == "tuple":
        parts = zip(parameter["components"], value, strict=True)
        return {part["name"]: _typed(part, item) for part, item in parts}
    if kind == "address":
        return checksum_address(bytes.fromhex(value[2:]))
    return value


@dataclass(frozen=True, slots=True)
class Signature:
    """A function, event or error: its name, parameters, canonical signature and the keccak256 of that."""

    name: str
    canonical: str
    inputs: tuple[AbiEntry, ...]
    outputs: tuple[AbiEntry, ...]
    hash: bytes

    @classmethod
    def of(cls, entry: AbiEntry) -> "Signature":
        name = entry.get("name", "constructor")
        inputs = tuple(entry["inputs"])
        canonical = f"{name}({','.join(_type_of(parameter) for parameter in inputs)})"
        return cls(name, canonical, inputs, tuple(entry.get("outputs", ())), keccak(canonical.encode()))

    @property
    def selector(self) -> bytes:
        return self.hash[:SELECTOR]

    def encode(self, arguments: Sequence[Any]) -> bytes:
        return encode([_type_of(parameter) for parameter in self.inputs], list(arguments))

    def decode_inputs(self, encoded: bytes) -> dict[str, Any]:
        """Arguments by name.

        Raises:
            DecodingError: the bytes are not such arguments.
        """
        return _decode_named(self.inputs, encoded)

    def decode_outputs(self, encoded: bytes) -> Any:
        """One output as it is, several as a tuple."""
        values = decode([_type_of(parameter) for parameter in self.outputs], encoded)
        typed = tuple(_typed(parameter, value) for parameter, value in zip(self.outputs, values, strict=True))
        return typed[0] if len(typed) == 1 else typed

    def decode_log(self, topics: Sequence[bytes], payload: bytes) -> dict[str, Any]:
        """An event's arguments by name. Indexed arguments of dynamic type stay hashes."""
        indexed = [parameter for parameter in self.inputs if parameter["indexed"]]
        rest = [parameter for parameter in self.inputs if not parameter["indexed"]]
        named: dict[str, Any] = {}
        for parameter, topic in zip(indexed, topics[1:], strict=True):
            named |= _decode_named((parameter,), topic)
        return named | _decode_named(rest, payload)


def _decode_named(parameters: Sequence[AbiEntry], encoded: bytes) -> dict[str, Any]:
    values = decode([_type_of(parameter) for parameter in parameters], encoded)
    return {parameter["name"]: _typed(parameter, value) for parameter, value in zip(parameters, values, strict=True)}


@dataclass(frozen=True, slots=True)
class Abi:
    """Functions by name, events by topic, errors by selector.

    An overloaded function is under its canonical signature instead, like ``f(address,uint256)``.
    """

    functions: Mapping[str, Signature]
    events: Mapping[bytes, Signature]
    errors: Mapping[bytes, Signature]
    constructor: Signature

    @classmethod
    def of(cls, entries: Sequence[AbiEntry]) -> "Abi":
        by_kind: dict[str, list[Signature]] = {"function": [], "event": [], "error": [], "constructor": []}
        for entry in entries:
            if entry["type"] in by_kind:
                by_kind[entry["type"]].append(Signature.of(entry))
        named = Counter(signature.name for signature in by_kind["function"])
        constructor = by_kind["constructor"] or [Signature.of({"inputs": []})]
        return cls(
            functions={s.name if named[s.name] == 1 else s.canonical: s for s in by_kind["function"]},
            events={signature.hash: signature for signature in by_kind["event"]},
            errors={signature.selector: signature for signature in by_kind["error"]},
            constructor=constructor[0],
        )

    def selector(self, function: str) -> bytes:
        return self.functions[function].selector

    def encode_call(self, function: str, *arguments: Any) -> bytes:
        signature = self.functions[function]
        return signature.selector + signature.encode(arguments)


__all__ = ["Abi", "AbiEntry", "DecodingError", "Signature"]
