"""``mintery doctor``: what is missing here, and what to do about it."""

import typer

from mintery.cli.options import DEFAULT_URL, DeploymentFile, GatewayUrl, Json, LedgerFile, RpcUrl
from mintery.cli.output import progress, show, table


def doctor(
    url: GatewayUrl = DEFAULT_URL,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    ledger: LedgerFile = None,
    as_json: Json = False,
) -> None:
    """Check Python, packages, compiler, chain, deployment, ledger and gateway; say how to mend what is amiss.

    Ends with code 1 if something is broken. What is only absent (no chain is running, say) is told and does no harm.
    """
    from mintery.cli.diagnosis import Finding, diagnose

    with progress("Looking around"):
        findings = diagnose(rpc=rpc, deployment=deployment, ledger=ledger, url=url)
    facts = {
        "healthy": not any(finding.broken for finding in findings),
        "findings": [
            {"what": found.what, "state": found.state.value, "seen": found.seen, "remedy": found.remedy}
            for found in findings
        ],
    }

    def cells(found: Finding) -> tuple[str, str, str]:
        return found.what, found.state.value, found.seen + (f"\n→ {found.remedy}" if found.remedy else "")

    show(facts, table("Mintery on this machine", ("", "", "seen"), [cells(f) for f in findings]), as_json=as_json)
    if not facts["healthy"]:
        raise typer.Exit(1)
