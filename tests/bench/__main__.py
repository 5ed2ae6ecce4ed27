"""``scripts/bench``: one run on loopback, every row before the same upstream, and a table beside the goals."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.goals import goals_of
from tests.bench.machine import Cores, pin, pinned
from tests.bench.memory import bytes_per_stream
from tests.bench.rounds import CONCURRENCIES, Effort, Figures, take_rounds
from tests.bench.rows import LITELLM, MINTERY, MOCK, PASSTHROUGH, POSTGRESQL, SQLITE, postgresql, stand_field
from tests.bench.standing import module
from tests.bench.table import as_json, as_text

ACCOUNTS = 100
_KIB = 1_024
_PARTS = ("vouchers", "ledger", "growth", "settlement", "memory", "statement")
Found = dict[str, dict[str, float]]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when a part could not be measured. What was measured is shown all the same."""
    chosen = _parser().parse_args(arguments)
    cores = Cores.of_this_machine()
    if not cores.apart:
        _tell("one core alone: the server shares it with everything else, and no ratio here says much")
    pin(cores.rest)
    figures, parts = Figures(), Found()
    if chosen.rounds:
        figures, parts = _serve(chosen, cores)
    taken, failed = _take_parts(chosen, cores)
    parts |= taken
    goals = goals_of(figures, parts)
    sys.stdout.write(json.dumps(as_json(figures, parts, goals)) if chosen.json else as_text(figures, parts, goals))
    sys.stdout.write("\n")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rows", nargs="*", default=[PASSTHROUGH, *MINTERY], choices=[PASSTHROUGH, *MINTERY])
    parser.add_argument("--rounds", type=int, default=5, help="0 leaves out what is served")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each burst")
    parser.add_argument("--concurrency", type=int, nargs="+", default=list(CONCURRENCIES))
    parser.add_argument("--accounts", type=int, default=ACCOUNTS, help="whose keys are sent in turn")
    parser.add_argument("--parts", nargs="*", default=list(_PARTS), choices=_PARTS)
    parser.add_argument("--growth", type=int, nargs="+", default=[1_000, 100_000], help="accounts and receipts")
    parser.add_argument("--lines", type=int, nargs="+", default=[10_000, 1_000_000], help="of a year's statement")
    parser.add_argument("--streams", type=int, default=300, help="open streams that are weighed")
    parser.add_argument("--litellm", type=Path, help="environment with LiteLLM's proxy (see --setup-litellm)")
    parser.add_argument("--json", action="store_true")
    return parser


def _serve(chosen: argparse.Namespace, cores: Cores) -> tuple[Figures, Found]:
    _tell("starting upstream, chain and servers")
    found: Found = {}
    with stand_field(cores, accounts=chosen.accounts, wanted=chosen.rows, litellm=chosen.litellm) as field:
        effort = Effort(chosen.rounds, chosen.seconds)
        figures = take_rounds(
            field, effort, chosen.concurrency, lambda number: _tell(f"round {number + 1} of {chosen.rounds}")
        )
        if "memory" in chosen.parts:
            weighed = [row for row in field.rows if row.name not in {MOCK, LITELLM}]
            found["memory"] = {row.name: bytes_per_stream(row, chosen.streams) / _KIB for row in weighed}
    return figures, found


def _take_parts(chosen: argparse.Namespace, cores: Cores) -> tuple[Found, list[str]]:
    """The figures, and the names of the parts that failed."""
    found: Found = {}
    failed: list[str] = []

    def take(name: str, part: str, *arguments: str) -> None:
        _tell(f"measuring {name}")
        try:
            found[name] = _take(cores, part, *arguments)
        except subprocess.CalledProcessError as error:
            _tell(f"{name} failed: {error}")
            failed.append(name)

    with tempfile.TemporaryDirectory(prefix="mintery-bench-") as name:
        folder = Path(name)
        for part in (part for part in ("vouchers", "settlement") if part in chosen.parts):
            take(part, part)
        sized = (("ledger", []), ("growth", chosen.growth), ("statement", chosen.lines))
        for part, sizes in ((part, list(map(str, sizes))) for part, sizes in sized):
            if part not in chosen.parts:
                continue
            if SQLITE in chosen.rows:
                take(f"{part} {SQLITE}", part, str(folder / f"{part}.sqlite"), *sizes)
            if POSTGRESQL in chosen.rows:
                (own := folder / part).mkdir()
                with postgresql(own, cores) as database:
                    take(f"{part} {POSTGRESQL}", part, database.url, *sizes)
    return found, failed


def _take(cores: Cores, part: str, *arguments: str) -> dict[str, float]:
    with pinned(cores.server):
        ended = subprocess.run(module("parts", part, *arguments), stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


def _tell(line: str) -> None:
    sys.stderr.write(f"bench: {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
