"""``mintery ledger``: whether the books are what was written, and what the operator adds to them by hand."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.money import nanos_text
from mintery.cli.options import DeploymentFile, Json, LedgerFile, RpcUrl
from mintery.cli.output import pairs, progress, show, table
from mintery.errors import MalformedSeal

if TYPE_CHECKING:
    from mintery.ledger.audit import LedgerAudit
    from mintery.ledger.reads import WrittenOff
    from mintery.ledger.store import LedgerStore
    from mintery.ledger.verifying import Seal, SealReport

app = typer.Typer(help="Check the books of a gateway, and write off what cannot settle.", no_args_is_help=True)
_SEAL = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)


@app.command("verify")
def verify(
    start: Annotated[int, typer.Option("--from", metavar="N", min=1, help="The first seal to check.")] = 1,
    expect: Annotated[
        str | None,
        typer.Option(
            "--expect",
            metavar="POSITION:HASH",
            help="A head that an earlier run printed. Kept outside, it shows a chain that was rewritten as a whole.",
        ),
    ] = None,
    ledger: LedgerFile = None,
    rpc: RpcUrl = None,
    as_json: Json = False,
) -> None:
    """Compute the seals again from the rows they cover. Ends with code 1 if anything was changed, removed or swapped.

    Note the head that it prints somewhere else, and give it back with --expect.
    """
    noted = None if expect is None else _seal_of(expect)
    with progress("Checking the seals"), _opened(ledger, rpc) as audit:
        report = audit.verify(start=start, noted=noted)
    title = "Every seal fits" if report.holds else "The ledger is not what was sealed"
    show(_facts(report), pairs(title, _rows(report)), as_json=as_json)
    if not report.holds:
        raise typer.Exit(1)


@app.command("check")
def check(ledger: LedgerFile = None, rpc: RpcUrl = None, as_json: Json = False) -> None:
    """Check that balances, holds, charges and limits equal the transfers behind them. Ends with code 70 if not."""
    with progress("Checking the books"), _opened(ledger, rpc) as audit:
        audit.check()
    show({"consistent": True}, pairs("The books agree with themselves", []), as_json=as_json)


@app.command("write-off")
def write_off_(
    receipt: Annotated[str, typer.Argument(metavar="RECEIPT", help="The request's id (req_…) that the receipt is of.")],
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it can never settle; kept for ever.")],
    ledger: LedgerFile = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Give up a receipt that no batch can carry: its charge is your loss, and its holder may spend the credits again."""
    from datetime import UTC, datetime

    from mintery.domain.hold import RequestId
    from mintery.usecases.write_off import write_off

    with progress("Writing it off"), _open_to_write(ledger, rpc, deployment) as store:
        written = write_off(store, RequestId(receipt), reason, datetime.now(UTC))
    rows = [("lost", nanos_text(written.amount)), ("reason", written.reason), ("at", written.at.isoformat())]
    show(_written_facts(written), pairs(f"Receipt {receipt} is written off", rows), as_json=as_json)


@app.command("write-offs")
def write_offs(
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest first.")] = 100,
    ledger: LedgerFile = None,
    rpc: RpcUrl = None,
    as_json: Json = False,
) -> None:
    """List what was written off."""
    with _opened(ledger, rpc) as audit:
        written = audit.write_offs(limit=limit)
    rows = [
        (
            each.at.isoformat(),
            each.request,
            nanos_text(each.amount),
            each.reason
            if each.undone_at is None
            else f"{each.reason} (settled after all, {each.undone_at.isoformat()})",
        )
        for each in written
    ]
    listed = table("Receipts written off", ("at", "receipt", "lost ", "reason"), rows)
    show({"write_offs": [_written_facts(each) for each in written]}, listed, as_json=as_json)


def _written_facts(written: "WrittenOff") -> dict[str, Any]:
    return {
        "receipt": written.request,
        "nanocredits": str(written.amount),
        "reason": written.reason,
        "at": written.at.isoformat(),
        "undone_at": None if written.undone_at is None else written.undone_at.isoformat(),
    }


def _open_to_write(ledger: str | None, rpc: str | None, deployment: Path | None) -> "LedgerStore":
    from mintery.bootstrap import open_gateway_ledger, open_on_chain
    from mintery.cli.session import existing_ledger, settings_of

    settings = settings_of(ledger=existing_ledger(ledger), rpc_url=rpc, deployment=deployment)
    return open_gateway_ledger(settings, open_on_chain(settings))


def _opened(ledger: str | None, rpc: str | None) -> "LedgerAudit":
    from mintery.bootstrap import open_ledger_audit
    from mintery.cli.session import existing_ledger, settings_of

    return open_ledger_audit(settings_of(ledger=existing_ledger(ledger), rpc_url=rpc))


def _seal_of(text: str) -> "Seal":
    from mintery.ledger.verifying import Seal

    if (found := _SEAL.fullmatch(text.strip().lower())) is None:
        raise MalformedSeal(text)
    return Seal(int(found[1]), found[2])


def _facts(report: "SealReport") -> dict[str, Any]:
    first = report.first
    return {
        "holds": report.holds,
        "checked": report.checked,
        "head": None if report.head is None else str(report.head),
        "misfits": report.misfits,
        "first": None
        if first is None
        else {"position": first.position, "row": first.row, "expected": first.expected, "found": first.found},
        "waiting": report.waiting,
        "unsealed": report.unsealed,
        "first_unsealed": report.first_unsealed,
        "strayed": report.strayed,
        "first_strayed": report.first_strayed,
    }


def _rows(report: "SealReport") -> list[tuple[str, str]]:
    rows = [
        ("seals", str(report.checked)),
        ("head", "none yet" if report.head is None else str(report.head)),
        ("not sealed yet", str(report.waiting)),
    ]
    if (first := report.first) is not None:
        rows += [
            ("do not fit", str(report.misfits)),
            ("first", f"seal {first.position}, over {first.row}"),
            ("its seal says", first.expected),
            ("found", first.found),
        ]
    if report.unsealed:
        rows.append(("without a seal", f"{report.unsealed}, the first of them {report.first_unsealed}"))
    if report.strayed:
        rows.append(("not as stated", f"{report.strayed}, the first of them {report.first_strayed}"))
    return rows
