"""Plant small faults in the contracts, one at a time, and see whether a test notices: `mutate.py --budget 3600`.

Slow, so it goes on where it stopped: results are kept by fault, whatever moved around it. Faults are taken in an order that
says nothing about them, so those judged so far are a random sample. A mutant that every test lets pass must be explained in
contracts/test/survivors.toml; where it is not, this fails.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mutants import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "contracts"
SURVIVORS = CONTRACTS / "test/survivors.toml"

VAULT = "ReserveVault.sol:ReserveVault"
ESCROW = "SpendEscrow.sol:SpendEscrow"
ORACLE = "PriceOracle.sol:PriceOracle"
VAULT_TESTS = "test/{ReserveVault,attacks,incidents}/**"
ESCROW_TESTS = "test/{SpendEscrow,attacks,incidents}/**"
ORACLE_TESTS = "test/{PriceOracle,attacks,incidents}/**"
MATH_TESTS = "test/libraries/BackingMath.t.sol:BackingMathTest"

# What each source ends up in, and which tests look at it first. Tests call built contracts, except those of a library.
TARGETS: dict[str, tuple[tuple[str, ...], str]] = {
    "ReserveVault.sol": ((VAULT,), VAULT_TESTS),
    "ProjectTerms.sol": ((VAULT,), VAULT_TESTS),
    "SpendEscrow.sol": ((ESCROW,), ESCROW_TESTS),
    "EscrowAccounts.sol": ((ESCROW,), ESCROW_TESTS),
    "libraries/Spending.sol": ((ESCROW,), ESCROW_TESTS),
    "libraries/SettlementLines.sol": ((ESCROW,), ESCROW_TESTS),
    "libraries/Vouchers.sol": ((ESCROW,), ESCROW_TESTS),
    "PriceOracle.sol": ((ORACLE,), ORACLE_TESTS),
    "libraries/PriceBounds.sol": ((ORACLE,), ORACLE_TESTS),
    "libraries/PriceVectors.sol": ((ORACLE,), ORACLE_TESTS),
    "libraries/Medians.sol": ((ORACLE,), ORACLE_TESTS),
    "libraries/BackingMath.sol": ((VAULT, ESCROW, ORACLE, MATH_TESTS), "test/{libraries,ReserveVault,PriceOracle}/**"),
}
# Compares a token's address with the optimised bytecode's, which a mutant of the vault does not carry.
OTHER_BYTECODE = "test_DeploysTheTokenWhereIssuerAndIndexSay"
# Of one run of tests; a fault may loop.
TEST_SECONDS = 300

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--budget", type=int, default=4 * 3600, help="seconds after which no new mutant is begun")
parser.add_argument("--results", type=Path, default=CONTRACTS / "cache/mutants.jsonl")
parser.add_argument("--only", nargs="*", default=list(TARGETS), help="sources, like ReserveVault.sol")
parser.add_argument("--list", action="store_true", help="only count the mutants")
parser.add_argument("forge", help="the binary")


@dataclass(slots=True)
class Compiler:
    """solc in a process of its own, which keeps its compiled self."""

    process: subprocess.Popen[str]

    @classmethod
    def start(cls) -> "Compiler":
        script = Path(__file__).with_name("mutant_compiler.cjs")
        # Node is the one that scripts/audit put first on PATH.
        return cls(
            subprocess.Popen(  # noqa: S603
                ["node", str(script), str(CONTRACTS)],  # noqa: S607
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )

    def build(self, path: str, content: str, targets: tuple[str, ...]) -> dict[str, Any]:
        request: IO[str] | None = self.process.stdin
        answer: IO[str] | None = self.process.stdout
        if request is None or answer is None:
            raise RuntimeError("the compiler has no pipes")
        request.write(json.dumps({"path": path, "content": content, "targets": targets}) + "\n")
        request.flush()
        built: dict[str, Any] = json.loads(answer.readline())
        return built


@dataclass(slots=True)
class Bench:
    """A built copy of the contracts whose artifacts are swapped for a mutant's."""

    root: Path
    forge: str
    originals: dict[str, dict[str, Any]]

    @classmethod
    def prepare(cls, root: Path, forge: str) -> "Bench":
        # What is built is copied too: forge looks at the sources alone.
        subprocess.run([forge, "build", "--quiet"], cwd=CONTRACTS, check=True)  # noqa: S603
        leave_out = shutil.ignore_patterns("*.jsonl", "node_modules")
        shutil.copytree(CONTRACTS, root, ignore=leave_out, symlinks=True)
        (root / "node_modules").symlink_to(CONTRACTS / "node_modules")
        # Of a copy forge builds some again; it must not do so over a mutant.
        subprocess.run([forge, "build", "--quiet"], cwd=root, check=True)  # noqa: S603
        bench = cls(root, forge, {})
        for targets, _ in TARGETS.values():
            for target in targets:
                bench.originals[target] = json.loads(bench.artifact(target).read_text())
        return bench

    def artifact(self, target: str) -> Path:
        file, name = target.split(":")
        return self.root / "out" / Path(file).name / f"{name}.json"

    def install(self, bytecode: dict[str, dict[str, str]]) -> None:
        for target, code in bytecode.items():
            built = json.loads(json.dumps(self.originals[target]))
            built["bytecode"]["object"] = "0x" + code["creation"]
            built["deployedBytecode"]["object"] = "0x" + code["runtime"]
            self.artifact(target).write_text(json.dumps(built))

    def restore(self) -> None:
        for target, built in self.originals.items():
            self.artifact(target).write_text(json.dumps(built))

    def killer(self, first: str) -> str | None:
        """The first test that fails, or None: those most likely to first, the campaigns last."""
        rest = ["--no-match-path", "test/{" + first.removeprefix("test/") + ",invariants/**,**/gas.t.sol}"]
        for selection in (["--match-path", first], rest, ["--match-path", "test/invariants/**"]):
            if failed := self.failing(selection):
                return failed
        return None

    def failing(self, selection: list[str]) -> str | None:
        environment = {
            **os.environ,
            "FOUNDRY_FUZZ_RUNS": "16",
            "FOUNDRY_FUZZ_SEED": "1",
            "FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT": "1",
            # A mutant is built without the optimizer, and may be larger than a contract on chain.
            "CODE_SIZE_LIMIT": "98304",
        }
        command = [self.forge, "test", "--fail-fast", "--no-match-test", OTHER_BYTECODE, *selection]
        try:
            answer = subprocess.run(  # noqa: S603
                command,
                cwd=self.root,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=TEST_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return "timeout"
        if answer.returncode == 0:
            return None
        failed = [line for line in answer.stdout.splitlines() if line.startswith("[FAIL")]
        return failed[0] if failed else answer.stderr.strip()[-200:] or "failed"


def judge(mutant: Mutant, source: str, compiler: Compiler, bench: Bench, baseline: dict[str, Any]) -> tuple[str, str]:
    targets, first = TARGETS[mutant.path]
    built = compiler.build(mutant.path, mutant.apply(source), targets)
    if error := built.get("error"):
        return "uncompilable", error[:100]
    if built["bytecode"] == baseline:
        return "equivalent", "the same bytecode"
    bench.restore()
    bench.install(built["bytecode"])
    killer = bench.killer(first)
    return ("killed", killer[:160]) if killer else ("survived", "")


def main() -> int:
    args = parser.parse_args()
    known: dict[str, str] = {}
    if args.results.exists():
        for line in args.results.read_text().splitlines():
            row = json.loads(line)
            known[row["key"]] = row["verdict"]
    sources = {path: (CONTRACTS / path).read_text() for path in args.only}
    every = [mutant for path, source in sources.items() for mutant in mutants_of(path, source)]
    open_ = sorted((mutant for mutant in every if mutant.key not in known), key=in_no_order)
    print(f"{len(every)} mutants, {len(every) - len(open_)} judged before")
    if open_ and not args.list:
        with tempfile.TemporaryDirectory() as directory:
            work(open_, sources, Path(directory) / "contracts", args, known)
    return report(every, known)


def in_no_order(mutant: Mutant) -> bytes:
    return hashlib.sha256(mutant.key.encode()).digest()


def work(
    mutants: list[Mutant],
    sources: dict[str, str],
    copy: Path,
    args: argparse.Namespace,
    known: dict[str, str],
) -> None:
    begun = time.monotonic()
    bench, compiler = Bench.prepare(copy, args.forge), Compiler.start()
    for path, (targets, _) in TARGETS.items():
        if path == targets[0].split(":")[0]:
            bench.install(compiler.build(path, (CONTRACTS / path).read_text(), targets)["bytecode"])
    if failed := bench.killer("test/ReserveVault/**"):
        sys.exit(f"without any fault the tests fail: {failed}")
    baseline: dict[str, Any] = {}
    args.results.parent.mkdir(parents=True, exist_ok=True)
    with args.results.open("a") as results:
        for mutant in mutants:
            if time.monotonic() - begun > args.budget:
                break
            if mutant.path not in baseline:
                built = compiler.build(mutant.path, sources[mutant.path], TARGETS[mutant.path][0])
                baseline[mutant.path] = built["bytecode"]
            verdict, reason = judge(mutant, sources[mutant.path], compiler, bench, baseline[mutant.path])
            known[mutant.key] = verdict
            row = {"key": mutant.key, "line": mutant.line, "verdict": verdict, "reason": reason}
            results.write(json.dumps(row) + "\n")
            results.flush()
    compiler.process.kill()


def report(every: list[Mutant], known: dict[str, str]) -> int:
    counts: dict[str, Counter[str]] = {}
    for mutant in every:
        counts.setdefault(mutant.path, Counter())[known.get(mutant.key, "open")] += 1
    columns = ("killed", "equivalent", "uncompilable", "survived", "open")
    print(f"{'source':<32}" + "".join(f"{column:>14}" for column in columns))
    for path, row in counts.items():
        print(f"{path:<32}" + "".join(f"{row[column]:>14}" for column in columns))

    explained = tomllib.loads(SURVIVORS.read_text())["survivor"] if SURVIVORS.exists() else []
    answers = {row["mutant"] for row in explained}
    left = [mutant for mutant in every if known.get(mutant.key) == "survived" and mutant.key not in answers]
    for mutant in left:
        print(f"\nsurvived: {mutant.path}:{mutant.line}\n- {mutant.before.strip()}\n+ {mutant.after.strip()}")
    gone = answers - {mutant.key for mutant in every} if len(counts) == len(TARGETS) else set()
    for key in sorted(gone):
        print(f"\nexplained and gone: {key}")
    print(f"\n{len(left)} survivors without an explanation")
    return 1 if left or gone else 0


if __name__ == "__main__":
    sys.exit(main())
