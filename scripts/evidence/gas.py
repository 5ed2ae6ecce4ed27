"""What the contracts cost as real transactions, base cost and calldata included, on an anvil of its own: `gas.py`.

Prints the table, and fails where something costs over 1 % more than contracts/snapshots/transactions.json says, or a settled
line more than the goal. `--update` writes the snapshot.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from market import Market

ROOT = Path(__file__).parents[2]
SNAPSHOT = ROOT / "contracts/snapshots/transactions.json"
TOLERANCE = 1
"""Percent. The same transactions always cost the same; this is room for a changed byte of an address."""
GOAL = 11_800
"""Gas for each further settled line."""
SIZES = (1, 10, 100, 200)

# What one settled line cannot do without, beside its calldata; contracts/README.md says why.
FLOOR: Mapping[str, int] = {
    "ecrecover, a call to a warm precompile": 3_100,
    "the account's slot, read cold": 2_100,
    "the account's slot, written again": 2_900,
    "hashes: the voucher, its typed digest, the account": 222,
    "13 bytes of outcome in the event": 104,
}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--update", action="store_true", help="write the snapshot")
parser.add_argument("anvil", help="the binary")


def main() -> int:
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, Market(args.anvil, Path(directory)) as market:
        measured = {**measure_calls(market), **measure_settlement(market), **measure_reports(market)}
        calldata = market.line_calldata_gas()
    if args.update:
        SNAPSHOT.write_text(json.dumps(measured, indent=2) + "\n")
    known: dict[str, int] = json.loads(SNAPSHOT.read_text())

    print(f"{'transaction':<52}{'gas':>12}{'snapshot':>12}")
    for name, gas in measured.items():
        print(f"{name:<52}{gas:>12,}{known.get(name, 0):>12,}")
    show_floor(measured, calldata)
    faults = [
        f"{name}: {gas:,} gas, the snapshot has {known.get(name, 0):,}"
        for name, gas in measured.items()
        if gas * 100 > known.get(name, 0) * (100 + TOLERANCE)
    ]
    faults += [f"{name} is gone: update the snapshot" for name in known.keys() - measured.keys()]
    faults += [
        f"{name}: {gas:,} gas, the goal is {GOAL:,}"
        for name, gas in measured.items()
        if name.startswith("each further line") and gas > GOAL
    ]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def show_floor(measured: Mapping[str, int], calldata: int) -> None:
    line = measured[f"each further line, in a batch of {SIZES[-1]}"]
    parts = {"calldata: 133 bytes, 16 gas each and 4 for a zero": calldata, **FLOOR}
    floor = sum(parts.values())
    print(f"\na further line: {line:,}; goal {GOAL:,}; floor {floor:,}")
    for part, gas in parts.items():
        print(f"  {gas:>6,}  {part}")
    print(f"  {line - floor:>6,}  the rest: reading the line, the rules it must pass, writing account and outcome")


def measure_calls(market: Market) -> dict[str, int]:
    """Each way in and out, the first time and again where that differs."""
    return {
        "open a project": market.open_project(),
        "mint": market.mint(),
        "mint by authorization": market.mint_by_authorization(),
        "transfer to a new holder": market.transfer(),
        "transfer": market.transfer(),
        "approve the escrow": market.approve(),
        "deposit into a new account": market.deposit(0),
        "deposit": market.deposit(0),
        "deposit by permit": market.deposit_by_permit(),
        "deposit by authorization": market.deposit_by_authorization(),
        "top up from the asset": market.top_up(),
        "start an exit": market.start_exit(),
        "execute an exit": market.execute_exit(),
        "release": market.release(),
        "redeem": market.redeem(),
    }


def measure_settlement(market: Market) -> dict[str, int]:
    """Batches over accounts that were settled before, which is the common case."""
    market.open_accounts(SIZES[-1])
    market.settle(SIZES[-1])
    gas = {size: market.settle(size) for size in SIZES}
    table = {f"settle {size} line{'s' * (size > 1)}": gas[size] for size in SIZES}
    for size in SIZES[1:]:
        # Rounded up: a goal is not met by a fraction.
        table[f"each further line, in a batch of {size}"] = -((gas[1] - gas[size]) // (size - 1))
    first = market.settle(1)
    table["a further usage entry of the same provider"] = market.settle(1, entries=2) - first
    market.settle(1, tokens=2)
    table["a further token with one line"] = market.settle(1, tokens=2) - first
    table["withdraw what a provider is owed"] = market.withdraw_owed()
    table["withdraw a project's margin"] = market.withdraw_margin()
    return table


def measure_reports(market: Market) -> dict[str, int]:
    """Three vectors of a quorum over as many SKUs as said, of a hundred."""
    table = {}
    for count in (1, 10, 100):
        table[f"report {count} changed price{'s' * (count > 1)}"] = market.report(changed=count)
        table[f"report {count} unchanged price{'s' * (count > 1)}"] = market.report(unchanged=count)
    return table


if __name__ == "__main__":
    sys.exit(main())
