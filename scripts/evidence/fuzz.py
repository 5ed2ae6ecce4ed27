"""Run every fuzz test, and show that each external function that changes state has one: `fuzz.py --runs 2000`.

A function has one when the body of a `testFuzz_…` for its contract calls it, directly or by its selector, or calls a function
of the tests that does.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CONTRACTS = Path(__file__).parents[2] / "contracts"
FUZZED = (
    "CreditToken",
    "MinteryFactory",
    "PriceOracle",
    "ProviderRegistry",
    "ReserveVault",
    "SpendEscrow",
)
FUNCTION = re.compile(r"^    function (\w+)\((?:[^)]*)\)[^{;]*\{(.*?)^    \}", re.DOTALL | re.MULTILINE)
CALL = re.compile(r"\b(\w+)\(")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--runs", type=int, default=2000)
parser.add_argument("--seed", default="1", help="one seed always makes the same calls; 'random' explores")
parser.add_argument("forge", help="the binary")


def main() -> int:
    args = parser.parse_args()
    tests = list(fuzz_tests())
    faults = []
    for contract in FUZZED:
        for function in changing_functions(contract):
            call = re.compile(rf"\.{function}(?:\(|\.selector|,)")
            reaching = [name for name, of, body in tests if of == contract and call.search(body)]
            print(f"{f'{contract}.{function}':<44}{len(reaching):>3}  {reaching[0] if reaching else ''}")
            if not reaching:
                faults.append(f"{contract}.{function} has no fuzz test")
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 1

    environment = {**os.environ, "FOUNDRY_FUZZ_RUNS": str(args.runs)}
    if args.seed != "random":
        environment["FOUNDRY_FUZZ_SEED"] = args.seed
    command = [args.forge, "test", "--match-test", "^testFuzz_"]
    return subprocess.run(command, cwd=CONTRACTS, env=environment, check=False).returncode  # noqa: S603


def fuzz_tests() -> Iterator[tuple[str, str, str]]:
    """Each fuzz test's name, the contract it is about, and its body with those of the test functions that it calls."""
    sources = {path: path.read_text() for path in sorted((CONTRACTS / "test").rglob("*.sol"))}
    helpers: dict[str, str] = {}
    for source in sources.values():
        for name, body in FUNCTION.findall(source):
            helpers[name] = helpers.get(name, "") + body
    for path, source in sources.items():
        contract = path.parent.name if path.parent.name != "fuzz" else path.name.removesuffix(".t.sol")
        for name, body in FUNCTION.findall(source):
            if name.startswith("testFuzz_"):
                yield name, contract, with_helpers(body, helpers)


def with_helpers(body: str, helpers: dict[str, str]) -> str:
    for _ in range(2):
        body += "".join(helpers.get(name, "") for name in set(CALL.findall(body)))
    return body


def changing_functions(contract: str) -> list[str]:
    abi = json.loads((CONTRACTS / f"out/{contract}.sol/{contract}.json").read_text())["abi"]
    changing = {
        entry["name"]
        for entry in abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    return sorted(changing)


if __name__ == "__main__":
    sys.exit(main())
