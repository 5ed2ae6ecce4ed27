"""Imports go one way, and each outside library has one door."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mintery

ROOT = Path(mintery.__file__).parent

# A layer may import those before it, and, inside one rank, only itself.
RANKS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "units"}),
    frozenset({"domain", "serving"}),
    frozenset({"crypto"}),
    frozenset({"chain", "ledger", "providers", "rails", "client"}),
    frozenset({"usecases"}),
    frozenset({"settings"}),
    frozenset({"bootstrap"}),
    frozenset({"gateway", "wallet", "jobs", "cli"}),
)
RANK = {layer: rank for rank, layers in enumerate(RANKS) for layer in layers}

# Bootstrap constructs the application and the scheduler, so it alone looks one rank up.
CONSTRUCTS = {("bootstrap", "gateway"), ("bootstrap", "jobs")}
# The one application answers for both; the holder's side is asked by the same doors as the gateway, and its routes are made alike.
SIDE_BY_SIDE = {
    ("gateway/app.py", "mintery.wallet"),
    *(("wallet", f"mintery.gateway.{door}") for door in ("cookies", "entry", "errors", "shared", "sites", "tries")),
}
# units raises errors, errors know no unit.
SAME_RANK = {("units", "errors")}

DOORS = {
    "web3": "chain",
    "solcx": "chain",
    "eth_tester": "chain",
    "eth": "chain",
    "sqlalchemy": "ledger",
    "alembic": "ledger",
    "coincurve": "crypto",
    "eth_account": "crypto",
    "eth_hash": "crypto",
    "eth_keys": "crypto",
    "aiohttp": "providers",
    "stripe": "rails",
    "apscheduler": "jobs",
    "pydantic_settings": "settings",
}


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            assert node.module is not None
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


SOURCES = sorted(path for path in ROOT.rglob("*.py") if path.name != "__init__.py" or path.parent != ROOT)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path):
    layer = layer_of(path)
    for line, name in imports(path):
        top, _, rest = name.partition(".")
        if top != "mintery":
            door = DOORS.get(top)
            assert door in {None, layer}, f"{path}:{line}: {top} enters through mintery.{door} alone"
            continue
        imported = rest.partition(".")[0]
        if imported in {layer, "__version__"} or (layer, imported) in CONSTRUCTS | SAME_RANK:
            continue
        if any(name.startswith(door) for side, door in SIDE_BY_SIDE if str(path.relative_to(ROOT)).startswith(side)):
            continue
        assert RANK[imported] < RANK[layer], (
            f"{path}:{line}: {layer} imports {imported}, which stands above or beside it"
        )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_edge_alone_reads_the_clock_and_the_environment(path: Path):
    layer = layer_of(path)
    if layer in {"settings", "bootstrap", "gateway", "wallet", "jobs", "cli", "chain"}:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            read = f"{node.value.id}.{node.attr}"
            assert read not in {"time.time", "datetime.now", "os.environ", "os.getenv"}, f"{path}:{node.lineno}: {read}"


def test_every_layer_is_ranked():
    assert {layer_of(path) for path in SOURCES} <= set(RANK)
