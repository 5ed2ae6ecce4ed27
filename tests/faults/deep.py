"""Many runs: ranges of seeds, one line of JSON for each run, and no run twice where a results directory is kept."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TextIO

from tests.faults.base import build_base
from tests.faults.breakages import BREAKAGES, choose
from tests.faults.databases import Servers
from tests.faults.draw import draw
from tests.faults.dying import die_with_parent
from tests.faults.forks import ForkServer, Ran
from tests.faults.page import Page
from tests.faults.rehearsal import rehearse
from tests.faults.running import MEMO, run_world
from tests.faults.words import in_words

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- a crash of a process loses nothing in memory either, and fsync is cheap


def main() -> None:
    options = _options()
    seeds = [*options.seed, *(range(*map(int, options.seeds.split(":"))) if options.seeds else ())]
    results: Path | None = options.results
    done = _read(results) if results is not None and options.resume else {}
    wanted = [seed for seed in seeds if seed not in done]
    if options.breakage is not None:
        choose(options.breakage)
    began = time.monotonic()
    until = None if options.minutes is None else began + 60 * options.minutes
    ran = _run_all(wanted, options.workers, results, until, verbose=bool(options.seed), keep_going=options.keep_going)
    _sum_up([*done.values(), *ran], time.monotonic() - began, len(seeds))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("seed", nargs="*", type=int, help="runs to repeat, told in full")
    parser.add_argument("--seeds", help="a range, FIRST:END")
    parser.add_argument("--results", type=Path, help="directory for results, one file for each worker")
    parser.add_argument("--resume", action="store_true", help="leave out what the results directory has")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="begin no run after so long")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first failure")
    parser.add_argument(
        "--break", dest="breakage", choices=BREAKAGES, help="break the product like this: runs should fail"
    )
    return parser.parse_args()


def _run_all(
    seeds: list[int], workers: int, results: Path | None, until: float | None, *, verbose: bool, keep_going: bool
) -> list[dict]:
    if results is not None:
        results.mkdir(parents=True, exist_ok=True)
    children = []
    kept = results or Path(tempfile.mkdtemp(prefix="faults-"))
    for number in range(workers):
        path = kept / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{number}.jsonl"
        child = os.fork()
        if not child:
            status = 1
            die_with_parent(signal.SIGTERM)
            signal.signal(signal.SIGTERM, _stop)
            try:
                with path.open("a", encoding="utf-8") as file:
                    _work(seeds[number::workers], file, until, verbose=verbose, keep_going=keep_going)
                status = 0
            except BaseException:  # noqa: BLE001 -- the process's edge
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        children.append((child, path))
    ran = []
    for child, path in children:
        os.waitpid(child, 0)
        ran += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if results is None:
        shutil.rmtree(kept)
    return ran


def _stop(*_: object) -> None:
    """What was begun is ended: a database server does not go by itself."""
    raise SystemExit(1)


def _work(seeds: Iterable[int], file: TextIO, until: float | None, *, verbose: bool, keep_going: bool) -> None:
    parent = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="faults-", dir=parent) as directory:
        page = Page()
        base = build_base(Path(directory), page)
        rehearse(base, page, MEMO)
        servers = Servers(base, page)
        server = ForkServer(base, page, partial(run_world, servers), servers.prepare)
        try:
            for seed in seeds:
                if until is not None and time.monotonic() >= until:
                    return
                ran = server.run(draw(seed))
                file.write(json.dumps(_kept(ran, verbose=verbose)) + "\n")
                file.flush()
                if verbose or ran.wrong:
                    print("\n".join(told(ran)), flush=True)  # noqa: T201 -- this is a command
                if ran.wrong and not keep_going:
                    return
        finally:
            servers.close()


def told(ran: Ran) -> Iterator[str]:
    """A run for people: what was to happen, what happened, what is wrong with it."""
    yield from in_words(draw(ran.seed))
    yield from ran.trace
    yield from (f"WRONG: {wrong}" for wrong in ran.wrong)
    yield f"seed {ran.seed}: {'FAILED' if ran.wrong else 'held'} in {ran.seconds:.2f} s, facts {ran.facts}"


def _kept(ran: Ran, *, verbose: bool) -> dict:
    fields = asdict(ran)
    if not ran.wrong and not verbose:
        del fields["trace"]
    return fields


def _read(directory: Path) -> dict[int, dict]:
    found = {}
    for path in sorted(directory.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            ran = json.loads(line)
            found[ran["seed"]] = ran
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
