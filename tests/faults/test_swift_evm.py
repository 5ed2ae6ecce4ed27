"""Code runs in pieces as it does in py-evm's own loop: the same output, gas and failure."""

import pytest
from eth.vm.computation import BaseComputation
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.faults import swift_evm

from mintery.chain.devchain.engine import Engine
from mintery.chain.devchain.execution import Message, run

OPCODES = (
    *(*range(0x01, 0x0C), *range(0x10, 0x1E), 0x20, 0x30, 0x33, 0x34, 0x35, 0x36, 0x3D, 0x50, 0x51, 0x52, 0x53, 0x56),
    *(0x57, 0x58, 0x59, 0x5A, 0x5B, 0x5C, 0x5E, 0x5F, *range(0x80, 0x85), *range(0x90, 0x95), 0x00, 0xF3, 0xFD, 0xFE),
)
WORDS = st.one_of(
    st.integers(0, 96),
    st.sampled_from((1 << 255, (1 << 256) - 1, (1 << 255) - 1, 1 << 64)),
    st.integers(0, (1 << 256) - 1),
)
PUSHES = WORDS.map(lambda word: b"\x7f" + word.to_bytes(32))
SMALL = st.integers(0, 255).map(lambda byte: bytes([0x60, byte]))
CODES = st.lists(
    st.one_of(PUSHES, SMALL, SMALL, *[st.sampled_from(OPCODES).map(lambda one: bytes([one]))] * 4), max_size=60
)
COUNT_DOWN = bytes.fromhex("60055b8060005260019003806002575b")
"""From five to nought, by jumps, and then on to what follows."""
RETURN_ALL = bytes.fromhex("600052601f60002060205259 6000f3".replace(" ", ""))
"""The uppermost value, a hash, and all of memory."""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(31337, lambda: 1_800_000_000.0, 1_800_000_000)


def outcome(engine: Engine, code: bytes, gas: int) -> tuple[bytes, int, object]:
    message = Message(b"\x11" * 20, None, 0, code, gas)
    ran = run(engine.transaction_builder, engine.state_at(engine.head.header), message)
    return ran.output, ran.gas_limit_used, None if ran.error is None else type(ran.error).__name__


@settings(max_examples=200, deadline=None)
@example(begun=[], pieces=[COUNT_DOWN], gas=100_000)
@given(begun=st.lists(PUSHES | SMALL, max_size=16), pieces=CODES, gas=st.sampled_from((90_000, 110_000, 5_000_000)))
def test_it_is_what_py_evm_does(engine: Engine, begun: list[bytes], pieces: list[bytes], gas: int):
    code = b"".join([*begun, *pieces]) + RETURN_ALL
    own = BaseComputation.__dict__["apply_computation"]
    expected = outcome(engine, code, gas)
    swift_evm.use_swift_evm()
    try:
        assert outcome(engine, code, gas) == expected
    finally:
        BaseComputation.apply_computation = own
