"""Run the invariant campaigns and show that every action of every actor was done often: `invariants.py --runs 256`.

An action that cannot be done discards its call, and a call that reverts fails its campaign, so forge's counts are of what
was really done.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

CONTRACTS = Path(__file__).parents[2] / "contracts"
# Of a campaign's calls to one action, in percent. The rarest wait for others: a retirement, a batch above a day's cap.
LEAST_SHARE = 2
LEAST_DONE = 8

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--runs", type=int, default=256)
parser.add_argument("--depth", type=int, default=100)
parser.add_argument("--seed", default="1", help="one seed always makes the same calls; 'random' explores")
parser.add_argument("--match", default=".*", help="only campaigns whose contract matches")
parser.add_argument("--leave-out", help="no campaigns whose contract matches")
parser.add_argument("forge", help="the binary")


@dataclass(frozen=True, slots=True)
class Campaign:
    name: str
    failure: str | None
    runs: int
    calls: int
    tried: Counter[str]
    done: Counter[str]
    reverts: int
    discards: int

    @classmethod
    def read(cls, name: str, result: dict[str, Any]) -> Self:
        kind = result["kind"]["Invariant"]
        tried, done = Counter[str](), Counter[str]()
        for action, counts in kind["metrics"].items():
            short = action.rsplit(".", 1)[-1]
            tried[short] += counts["calls"]
            done[short] += counts["calls"] - counts["reverts"] - counts["discards"]
        failed = result["status"] != "Success"
        failure = f"{result['reason']}\n{json.dumps(result['counterexample'], indent=1)}" if failed else None
        reverts, discards = (
            sum(counts[what] for counts in kind["metrics"].values()) for what in ("reverts", "discards")
        )
        return cls(name.removesuffix("()"), failure, kind["runs"], kind["calls"], tried, done, reverts, discards)

    def idle(self) -> list[str]:
        """Actions that were done too seldom to say that the rule survived them."""
        return [
            f"{action} {self.done[action]} of {tried}"
            for action, tried in sorted(self.tried.items())
            if self.done[action] < max(LEAST_DONE, tried * LEAST_SHARE // 100)
        ]


def main() -> int:
    args = parser.parse_args()
    environment = {
        **os.environ,
        "FOUNDRY_INVARIANT_RUNS": str(args.runs),
        "FOUNDRY_INVARIANT_DEPTH": str(args.depth),
    }
    seed = hex(secrets.randbits(64)) if args.seed == "random" else args.seed
    environment["FOUNDRY_FUZZ_SEED"] = seed
    command = [args.forge, "test", "--json", "--match-path", "test/invariants/*", "--match-contract", args.match]
    if args.leave_out:
        command += ["--no-match-contract", args.leave_out]
    # The binary is the one that scripts/audit found in node_modules.
    answer = subprocess.run(  # noqa: S603
        command, cwd=CONTRACTS, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    try:
        suites = json.loads(answer.stdout)
    except json.JSONDecodeError:
        print(answer.stdout)
        return 1
    campaigns = [
        Campaign.read(name, result) for suite in suites.values() for name, result in suite["test_results"].items()
    ]
    print(f"seed {seed}")
    return show(sorted(campaigns, key=lambda campaign: campaign.name), args.runs, args.depth)


def show(campaigns: list[Campaign], runs: int, depth: int) -> int:
    faults = [] if campaigns else ["no campaign matched"]
    print(f"{'rule':<66}{'runs':>6}{'calls':>9}{'not done':>10}{'reverts':>9}")
    for campaign in campaigns:
        counts = f"{campaign.runs:>6}{campaign.calls:>9}{campaign.discards:>10}{campaign.reverts:>9}"
        print(f"{campaign.name:<66}{counts}")
        if campaign.failure:
            faults.append(f"{campaign.name}: {campaign.failure}")
        elif campaign.runs != runs or campaign.calls < runs * depth:
            faults.append(f"{campaign.name}: cut short")
        elif runs * depth >= 5_000:
            faults += [f"{campaign.name}: too seldom {fault}" for fault in campaign.idle()]
    print(f"{len(campaigns)} rules, {sum(campaign.calls for campaign in campaigns):,} calls\n")

    tried, done = Counter[str](), Counter[str]()
    for campaign in campaigns:
        tried += campaign.tried
        done += campaign.done
    print(f"{'action':<26}{'tried':>9}{'done':>9}")
    for action in sorted(tried):
        print(f"{action:<26}{tried[action]:>9}{done[action]:>9}")
    for fault in faults:
        print(f"\n{fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
