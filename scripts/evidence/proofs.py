"""Have halmos prove every check in contracts/test/proofs, for all values of its arguments: `proofs.py HALMOS FORGE`.

Fails where one is not proved, and where one of the `Untrue…` contracts is: those are there to be refuted. Queries go to smt.py.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

CONTRACTS = Path(__file__).parents[2] / "contracts"
PROOFS = CONTRACTS / "test/proofs"
SOLVER = Path(__file__).with_name("smt.py")
CONTRACT = re.compile(r"^contract (\w+) is .*?^}", re.DOTALL | re.MULTILINE)
CHECK = re.compile(r"function (check_\w+)\(")
VERDICT = re.compile(
    r"\[(PASS|FAIL|TIMEOUT|ERROR)\]\S* (check_\w+)\(.*paths: (\d+), time: ([\d.]+)s.*bounds: \[(.*?)\]"
)
# Up to minutes each; the others take seconds.
SLOW = frozenset(
    {
        "check_Settle",
        "check_Redeem",
        "check_AMintRoundedDownKeepsTheBacking",
        "check_ARedemptionRoundedUpKeepsTheBacking",
        "check_SharesAreTheBacking",
        "check_NoMintIsTaken",
        "check_NoRedemptionIsTaken",
    }
)
AT_ONCE = 2
# Halmos asks a solver of its own which branches there are, and that one now and then does not come back. Asked again, it does:
# a contract's checks have so many seconds together, and each that is left open twice, then four times as many.
SECONDS = 45
DEEP_SECONDS = 300
# Nobody waits for the refutation of what is not so: that it has no proof is enough.
UNTRUE_WORD_SECONDS = "2"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--deep", action="store_true", help="also what takes minutes")
parser.add_argument("--match", default=".*", help="only contracts that match")
parser.add_argument("halmos", type=Path, help="the program, with its Python and its solvers beside it")
parser.add_argument("forge", type=Path, help="the binary")


@dataclass(frozen=True, slots=True)
class Verdict:
    contract: str
    check: str
    word: str
    paths: int
    seconds: float

    @property
    def fault(self) -> str | None:
        proved = self.word == "PASS"
        if self.contract.startswith("Untrue"):
            return f"{self.contract}.{self.check} is not so, and is proved" if proved else None
        return None if proved else f"{self.contract}.{self.check} is not proved: {self.word}"


def main() -> int:
    args = parser.parse_args()
    wanted = {
        contract: checks if args.deep else checks - SLOW
        for contract, checks in all_checks()
        if re.search(args.match, contract)
    }
    halmos = Halmos(args.halmos.resolve(), args.forge.resolve(), DEEP_SECONDS if args.deep else SECONDS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = [verdict for found in pool.map(halmos.prove, wanted, wanted.values()) for verdict in found]
    for verdict in verdicts:
        word = {"PASS": "proved", "FAIL": "refuted"}.get(verdict.word, verdict.word.lower())
        print(f"{verdict.contract:<20}{verdict.check:<48}{word:<10}{verdict.paths:>5} paths{verdict.seconds:>8.1f} s")
    faults = [verdict.fault for verdict in verdicts if verdict.fault]
    proved = sum(verdict.word == "PASS" for verdict in verdicts)
    refused = sum(verdict.contract.startswith("Untrue") for verdict in verdicts)
    print(f"{proved} proved, {refused} untrue ones not")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults or not proved else 0


def all_checks() -> Iterator[tuple[str, frozenset[str]]]:
    for path in sorted(PROOFS.glob("*.t.sol")):
        for contract in CONTRACT.finditer(path.read_text()):
            yield contract[1], frozenset(CHECK.findall(contract[0]))


@dataclass(frozen=True, slots=True)
class Halmos:
    program: Path
    forge: Path
    seconds: int

    def prove(self, contract: str, checks: frozenset[str]) -> list[Verdict]:
        """All checks in one process; what it leaves open again, one at a time."""
        verdicts = {verdict.check: verdict for verdict in self.run(contract, checks, self.seconds)}
        for seconds in (2 * self.seconds, 4 * self.seconds):
            for check in sorted(checks - verdicts.keys()):
                verdicts |= {verdict.check: verdict for verdict in self.run(contract, [check], seconds)}
        lost = (Verdict(contract, check, "TIMEOUT", 0, self.seconds) for check in checks - verdicts.keys())
        return sorted([*verdicts.values(), *lost], key=lambda verdict: verdict.check)

    def run(self, contract: str, checks: Iterable[str], seconds: int) -> list[Verdict]:
        environment = {
            **os.environ,
            "PATH": f"{self.forge.parent}:{os.environ['PATH']}",
            "FOUNDRY_PROFILE": "proofs",
            # What was proved before the time was up counts.
            "PYTHONUNBUFFERED": "1",
        }
        if contract.startswith("Untrue"):
            environment["WORD_SECONDS"] = UNTRUE_WORD_SECONDS
        command = [self.program, "--root", ".", "--forge-build-out", "cache/proofs", "--contract", contract]
        command += ["--match-test", rf"^({'|'.join(sorted(checks))})\(", "--no-status"]
        command += ["--solver-threads", "1", "--solver-timeout-assertion", "60s"]
        command += ["--solver-command", f"{self.program.with_name('python')} {SOLVER}"]
        try:
            # Halmos comes with the lock file.
            answer = subprocess.run(  # noqa: S603
                command,
                cwd=CONTRACTS,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=seconds,
            ).stdout
        except subprocess.TimeoutExpired as timeout:
            output: bytes | str = timeout.stdout or ""
            answer = output.decode() if isinstance(output, bytes) else output
        return [
            # A loop cut short would prove nothing of its rest.
            Verdict(contract, check, "BOUNDED" if bounds else word, int(paths), float(took))
            for word, check, paths, took, bounds in VERDICT.findall(answer)
        ]


if __name__ == "__main__":
    sys.exit(main())
