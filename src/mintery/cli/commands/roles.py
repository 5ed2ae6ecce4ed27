"""``mintery roles``: who can do what now, and after which delay."""

from typing import TYPE_CHECKING, Any

import typer

from mintery.cli.money import time_text
from mintery.cli.options import DeploymentFile, Json, RpcUrl
from mintery.cli.output import progress, show, table

if TYPE_CHECKING:
    from mintery.usecases.onchain import OnChain
    from mintery.usecases.show_roles import Roles

app = typer.Typer(help="See who may do what on the chain.", no_args_is_help=True)


@app.callback()
def _roles() -> None:
    """Keeps ``show`` a command of its own."""


@app.command("show")
def show_(rpc: RpcUrl = None, deployment: DeploymentFile = None, as_json: Json = False) -> None:
    """Show who can do what now, and after which delay, as the chain has it.

    A loosening by the admin is announced first and done after its delay; what tightens is done at once.
    """
    from mintery.cli.session import open_chain
    from mintery.usecases.show_roles import show_roles

    with progress("Reading the roles"):
        chain = open_chain(rpc, deployment)
        roles = show_roles(chain, chain.rpc.block())
        facts = _facts(chain, roles)
    columns = ("who", "role", "after", "what")
    show(facts, table(f"Roles at block {roles.block.number}", columns, _rows(facts)), as_json=as_json)


def _facts(chain: "OnChain", roles: "Roles") -> dict[str, Any]:
    from mintery.chain.access import PUBLIC_ROLE
    from mintery.usecases.show_roles import ROLE_NAMES, name_of

    can = {entry.role: list(entry.functions) for entry in roles.functions}
    return {
        "block": roles.block.number,
        "members": [
            {
                "role": ROLE_NAMES.get(member.role, str(member.role)),
                "account": member.account,
                "delay": member.delay,
                "since": member.since,
                "functions": can.get(member.role, []),
            }
            for member in roles.members
        ],
        "open_to_anyone": can.get(PUBLIC_ROLE, []),
        "announced": [
            {
                "caller": call.caller,
                "what": name_of(chain, call.target, call.calldata),
                "calldata": "0x" + call.calldata.hex(),
                "ready_at": call.ready_at,
            }
            for call in roles.announced
        ],
        "closed": list(roles.closed),
        "other_authorities": [
            {"contract": contract, "authority": authority} for contract, authority in roles.other_authorities
        ],
        "settlers": [{"gateway": gateway, "settler": settler} for gateway, settler in roles.settlers],
        "reporters": list(roles.reporters),
        "quorum": roles.quorum,
        "queue_delay": roles.queue_delay,
        "exit_delay": roles.exit_delay,
        "projects": [
            {
                "token": project.token,
                "symbol": project.symbol,
                "issuer": project.issuer,
                "fee_recipient": project.fee_recipient,
                "public_mint": project.public_mint,
                "retired": project.retired,
                "loosening_delay": project.loosening_delay,
            }
            for project in roles.projects
        ],
    }


def _rows(facts: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    rows = [
        (m["account"], m["role"], _delay(m["delay"]), ", ".join(m["functions"]) or "grants and revokes roles")
        for m in facts["members"]
    ]
    rows += [(call["caller"], "announced", time_text(call["ready_at"]), call["what"]) for call in facts["announced"]]
    if facts["open_to_anyone"]:
        rows.append(("anyone", "anyone", "at once", ", ".join(facts["open_to_anyone"])))
    rows += [(name, "closed", "", "no restricted function") for name in facts["closed"]]
    rows += [
        (entry["authority"], "authority", "", f"decides for {entry['contract']}, in place of what is listed here")
        for entry in facts["other_authorities"]
    ]
    rows += [
        (reporter, "reporter", "at once", f"signs prices, {facts['quorum']} of {len(facts['reporters'])} must agree")
        for reporter in facts["reporters"]
    ]
    rows += [
        (entry["settler"], "settler", "at once", f"settles and releases for gateway {entry['gateway']}")
        for entry in facts["settlers"]
    ]
    for project in facts["projects"]:
        tighten = "retires, lowers caps, removes providers and list members; adds list members"
        mint = "" if project["public_mint"] else "; alone mints"
        rows.append((project["issuer"], f"issuer of {project['symbol']}", "at once", tighten + mint))
        loosen = "raises caps, adds providers"
        rows.append((project["issuer"], f"issuer of {project['symbol']}", _delay(project["loosening_delay"]), loosen))
        rows.append((project["fee_recipient"], f"fees of {project['symbol']}", "at once", "withdraws margin"))
    rows.append(("any holder", "holder", _delay(facts["exit_delay"]), "takes credits out of escrow, ends vouchers"))
    rows.append(("any holder", "holder", "at once", "redeems credits in the wallet"))
    return rows


def _delay(seconds: int) -> str:
    if not seconds:
        return "at once"
    hours, rest = divmod(seconds, 3_600)
    return f"{hours} h" if not rest else f"{seconds} s"
