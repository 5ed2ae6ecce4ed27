"""``mintery ledger halts`` and ``clear-halt``: what stops settlement on every gateway of a ledger, and ending that by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mintery.cli.options import Json, LedgerFile, RpcUrl
from mintery.cli.output import pairs, show, table
from mintery.errors import UnknownHalt

if TYPE_CHECKING:
    from mintery.ledger.store import LedgerStore


def halts(ledger: LedgerFile = None, rpc: RpcUrl = None, as_json: Json = False) -> None:
    """List what stops settlement, and since when. Empty is good."""
    with _opened(ledger, rpc) as books:
        standing = books.halts()
    facts = {
        "halts": [
            {"id": halt.id, "alarm": halt.alarm, "why": halt.why, "since": halt.since.isoformat()} for halt in standing
        ]
    }
    rows = [(str(halt.id), halt.alarm, f"{halt.since:%Y-%m-%d %H:%M:%S}", halt.why) for halt in standing]
    title = f"{len(rows)} halts: nothing settles" if rows else "Nothing halts settlement"
    show(facts, table(title, ("id ", "alarm", "since (UTC)", "why"), rows), as_json=as_json)


def clear_halt(
    halt: Annotated[int, typer.Argument(metavar="ID", help="The halt's number, as `mintery ledger halts` lists it.")],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why settling is right again; it stays in the ledger.")
    ],
    ledger: LedgerFile = None,
    rpc: RpcUrl = None,
    as_json: Json = False,
) -> None:
    """End a halt by hand, when you know what happened. A difference that is still there halts again at once."""
    from mintery.ledger.commands import ClearHalt, Done

    if not reason.strip():
        raise typer.BadParameter("say why, for whoever reads this later", param_hint="--reason")
    with _opened(ledger, rpc) as books:
        (cleared,) = books.commit([ClearHalt(halt, reason.strip(), datetime.now(UTC))])
    if cleared != Done(1):
        raise UnknownHalt(halt)
    show({"id": halt, "cleared": True}, pairs(f"Halt {halt} is cleared", [("reason", reason)]), as_json=as_json)


@contextmanager
def _opened(ledger: str | None, rpc: str | None) -> Iterator["LedgerStore"]:
    from mintery.bootstrap import open_gateway_ledger, open_on_chain
    from mintery.cli.session import existing_ledger, settings_of

    settings = settings_of(ledger=existing_ledger(ledger), rpc_url=rpc)
    with open_gateway_ledger(settings, open_on_chain(settings)) as books:
        yield books
