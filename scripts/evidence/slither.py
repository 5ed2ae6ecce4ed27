"""Run slither over the contracts: every finding of high or medium impact is answered in contracts/slither.toml, or this fails.

Slither has its own build made and cleans it away, so it works on a copy.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

CONTRACTS = Path(__file__).parents[2] / "contracts"
ANSWERS = CONTRACTS / "slither.toml"
IMPACTS = ("High", "Medium")
LOCATION = re.compile(r" \([^()]*#[\d-]+\)")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("slither", type=Path, help="the program")
parser.add_argument("forge", type=Path, help="the binary")


def main() -> int:
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        findings = analyse(Path(directory) / "contracts", args.slither.resolve(), args.forge.resolve())
    answers = {(row["check"], row["finding"]): row["answer"] for row in tomllib.loads(ANSWERS.read_text())["answer"]}

    by_impact = Counter(finding["impact"] for finding in findings)
    print(", ".join(f"{by_impact[impact]} {impact.lower()}" for impact in ("High", "Medium", "Low", "Informational")))
    grave = {(finding["check"], what(finding)) for finding in findings if finding["impact"] in IMPACTS}
    for check, finding in sorted(grave):
        print(f"{check}: {finding}\n    {answers.get((check, finding), 'NO ANSWER')}")
    faults = [f"not answered: {finding}" for finding in sorted(grave - answers.keys())]
    faults += [f"answered and not found: {finding}" for finding in sorted(answers.keys() - grave)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def analyse(copy: Path, slither: Path, forge: Path) -> list[dict[str, Any]]:
    shutil.copytree(CONTRACTS, copy, ignore=shutil.ignore_patterns("test", "out", "cache", "node_modules"))
    (copy / "node_modules").symlink_to(CONTRACTS / "node_modules")
    found = copy / "slither.json"
    command = [slither, ".", "--json", found, "--filter-paths", "node_modules|mocks/"]
    # It finds forge on PATH, and forge finds the compiler where foundry.toml says.
    # It reads the syntax tree, which no optimizer changes.
    environment = {**os.environ, "PATH": f"{forge.parent}:{os.environ['PATH']}", "FOUNDRY_OPTIMIZER": "false"}
    answer = subprocess.run(  # noqa: S603 -- both programs come from our lock files
        command, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    if not found.exists():
        sys.exit(answer.stderr)
    report = json.loads(found.read_text())
    if not report["success"]:
        sys.exit(report["error"])
    detected: list[dict[str, Any]] = report["results"].get("detectors", [])
    return detected


def what(finding: dict[str, Any]) -> str:
    """The finding's first line, without the lines of source that move."""
    first: str = finding["description"].splitlines()[0]
    return LOCATION.sub("", first).rstrip(":")


if __name__ == "__main__":
    sys.exit(main())
