"""Many runs: ranges of seeds, one line of JSON for each run, and no run twice where a results directory is kept."""

import argparse
import gc
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

from tests.faults.base import Base, build_base
from tests.faults.breakages import BREAKAGES, choose
from tests.faults.databases import Servers
from tests.faults.draw import draw
from tests.faults.dying import die_with_parent
from tests.faults.exercises import EXERCISES
from tests.faults.forks import ForkServer, Ran
from tests.faults.page import Page
from tests.faults.rehearsal import rehearse
from tests.faults.running import MEMO, run_world
from tests.faults.scenario import Scenario
from tests.faults.words import in_words

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- a crash of a process loses nothing in memory either, and fsync is cheap


@dataclass(frozen=True, slots=True)
class Turn:
    """One run. ``exercised``: its breakage has to be found out."""

    seed: int
    breakage: str | None = None
    exercised: bool = False

    @property
    def scenario(self) -> Scenario:
        return scenario_of(self.seed)


def scenario_of(seed: int) -> Scenario:
    return EXERCISES[seed].scenario if seed in EXERCISES else draw(seed)


def main() -> None:
    options = _options()
    seeds = [*options.seed, *options.seeds]
    turns = [Turn(seed, options.breakage) for seed in seeds]
    if options.exercises:
        turns = [turn for seed in EXERCISES for turn in _exercise(seed)] + turns
    results: Path | None = options.results
    known = _read(results) if results is not None and options.resume else {}
    done = [known[turn.seed, turn.breakage] for turn in turns if (turn.seed, turn.breakage) in known]
    wanted = [turn for turn in turns if (turn.seed, turn.breakage) not in known]
    began = time.monotonic()
    until = None if options.minutes is None else began + 60 * options.minutes
    ran = _run_all(wanted, options.workers, results, until, verbose=bool(options.seed), keep_going=options.keep_going)
    _sum_up([*done, *ran], time.monotonic() - began, len(turns))


def _exercise(seed: int) -> tuple[Turn, Turn]:
    """The scenario holds, and holds no longer when the product is broken."""
    return Turn(seed), Turn(seed, EXERCISES[seed].breakage, exercised=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("seed", nargs="*", type=int, help="runs to repeat, told in full")
    parser.add_argument("--seeds", type=_seeds, default=[], help="ranges and single ones: FIRST:END,SEED")
    parser.add_argument("--results", type=Path, help="directory for results, one file for each worker")
    parser.add_argument("--resume", action="store_true", help="leave out what the results directory has")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="begin no run after so long")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first failure")
    parser.add_argument("--exercises", action="store_true", help="first see that each breakage is found out")
    parser.add_argument(
        "--break", dest="breakage", choices=BREAKAGES, help="break the product like this: runs should fail"
    )
    return parser.parse_args()


def _seeds(text: str) -> list[int]:
    """``0:3,7`` is 0, 1, 2 and 7."""
    ranges = (each.partition(":") for each in text.split(","))
    return [seed for first, _, end in ranges for seed in range(int(first), int(end or first) + (not end))]


def _run_all(
    turns: list[Turn], workers: int, results: Path | None, until: float | None, *, verbose: bool, keep_going: bool
) -> list[dict]:
    """All workers are forks of one process that has the base: it is built once."""
    parent = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="faults-", dir=parent) as directory:
        page = Page()
        base = build_base(Path(directory), page)
        rehearse(base, page, MEMO)
        gc.collect()
        gc.freeze()
        if results is not None:
            results.mkdir(parents=True, exist_ok=True)
        kept = results or Path(directory)
        children = []
        for number in range(workers):
            path = kept / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{number}.jsonl"
            path.touch()
            child = os.fork()
            if not child:
                worker = _Worker(base, page, until, verbose=verbose, keep_going=keep_going)
                worker.work(turns[number::workers], path)
            children.append((child, path))
        ran = []
        for child, path in children:
            os.waitpid(child, 0)
            ran += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return ran


@dataclass(frozen=True, slots=True)
class _Worker:
    base: Base
    page: Page
    until: float | None
    _: KW_ONLY
    verbose: bool
    keep_going: bool

    def work(self, turns: Sequence[Turn], path: Path) -> None:
        """In a fork, which ends here."""
        status, parent = 1, os.getppid()
        try:
            die_with_parent(signal.SIGTERM)
            signal.signal(signal.SIGTERM, _stop)
            self.page.part()
            with path.open("a", encoding="utf-8") as file:
                self._run(turns, file)
            status = 0
        except BaseException:  # noqa: BLE001 -- the process's edge
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            if os.getppid() != parent:
                shutil.rmtree(self.base.directory, ignore_errors=True)  # who would have done it was killed
            os._exit(status)

    def _run(self, turns: Sequence[Turn], file: TextIO) -> None:
        servers = Servers(self.base, self.page)
        server = ForkServer(self.base, self.page, partial(run_world, servers), servers.prepare)
        try:
            for turn in turns:
                if self.until is not None and time.monotonic() >= self.until:
                    return
                choose(turn.breakage)
                ran = server.run(turn.scenario)
                ran.breakage = turn.breakage
                if turn.exercised:
                    ran.wrong = EXERCISES[turn.seed].missed(ran.wrong)
                file.write(json.dumps(_kept(ran, verbose=self.verbose)) + "\n")
                file.flush()
                if self.verbose or ran.wrong:
                    print("\n".join(told(ran)), flush=True)  # noqa: T201 -- this is a command
                if ran.wrong and not self.keep_going:
                    return
        finally:
            servers.close()


def _stop(*_: object) -> None:
    """What was begun is ended: a database server does not go by itself."""
    raise SystemExit(1)


def told(ran: Ran) -> Iterator[str]:
    """A run for people: what was to happen, what happened, what is wrong with it."""
    yield from in_words(scenario_of(ran.seed))
    yield from ran.trace
    yield from (f"WRONG: {wrong}" for wrong in ran.wrong)
    yield f"seed {ran.seed}: {'FAILED' if ran.wrong else 'held'} in {ran.seconds:.2f} s, facts {ran.facts}"


def _kept(ran: Ran, *, verbose: bool) -> dict:
    fields = asdict(ran)
    if not ran.wrong and not verbose:
        del fields["trace"]
    return fields


def _read(directory: Path) -> dict[tuple[int, str | None], dict]:
    """By seed and breakage."""
    found = {}
    for path in sorted(directory.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            ran = json.loads(line)
            found[ran["seed"], ran["breakage"]] = ran
    return found


def _sum_up(ran: list[dict], seconds: float, wanted: int) -> None:
    failed = sorted(one["seed"] for one in ran if one["wrong"])
    deaths = Counter(death for one in ran for death in one["deaths"])
    lines = [
        f"{len(ran)} of {wanted} runs, {len(failed)} failed: {failed}",
        f"{sum(one['seconds'] for one in ran) / max(1, len(ran)):.3f} s each ({sum(one['cpu'] for one in ran) / max(1, len(ran)):.3f} s of a core), {seconds:.0f} s in all",
        f"{sum(deaths.values())} deaths at {len(deaths)} points",
    ]
    print("\n".join(lines))  # noqa: T201 -- this is a command
    sys.exit(bool(failed) or len(ran) < wanted)
