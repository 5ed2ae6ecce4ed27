"""``mintery deploy``: put the contracts on a chain, or find them there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.options import DeploymentFile, Json, Key, RpcUrl
from mintery.cli.output import console, pairs, progress, show

if TYPE_CHECKING:
    from mintery.chain.deploy import Deployed
    from mintery.chain.plan import Plan


def deploy(
    key: Key = "dev:admin",
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What to deploy (TOML): asset, reporters, delays, providers, SKUs."),
    ] = None,
    *,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would stand where and what it would cost; send nothing."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before sending (local chains never ask).")] = False,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Deploy Mintery, or reuse what stands already, and write one deployment file that everything else reads.

    On a local chain nothing else is needed: test dollars, five reporters and the TEST provider come along. On any other
    chain --config names the stablecoin, the reporters and the delays, and you are asked once you have seen the plan.
    Addresses follow from the deployer and the settings: equal settings stand at equal addresses on every chain.
    """
    from mintery.bootstrap import deploy_to, open_rpc, plan_of
    from mintery.cli.deploy_config import read_deploy_config
    from mintery.cli.keys import read_key
    from mintery.cli.session import settings_of

    settings = settings_of(rpc_url=rpc, deployment=deployment)
    connected = open_rpc(settings)
    deployer = read_key(key, local=connected.is_local)
    wanted = None if config is None else read_deploy_config(config)
    if dry_run or not connected.is_local:
        with progress("Planning"):
            plan = plan_of(connected, deployer, wanted)
        if dry_run:
            show(
                _plan_facts(plan, connected.chain_id),
                pairs(_title(connected.chain_id), _plan_rows(plan)),
                as_json=as_json,
            )
            return
        if not yes:
            _ask(plan, connected.chain_id, as_json=as_json)
    with progress("Deploying"):
        path, deployed = deploy_to(connected, deployer, settings, wanted)
    _show_deployed(path, deployed, as_json=as_json)


def _title(chain_id: int) -> str:
    return f"Planned for chain {chain_id}"


def _plan_facts(plan: "Plan", chain_id: int) -> dict[str, Any]:
    return {
        "dry_run": True,
        "chain_id": chain_id,
        "deployer": plan.deployer,
        "contracts": {
            contract.name: {"address": contract.address, "stands": contract.stands} for contract in plan.contracts
        },
        "transactions": plan.transactions,
        "gas": plan.gas,
        "gas_price_wei": str(plan.gas_price),
        "cost_wei": str(plan.cost),
        "balance_wei": str(plan.balance),
        "affordable": plan.is_affordable,
    }


def _plan_rows(plan: "Plan") -> list[tuple[str, str]]:
    from mintery.cli.money import ether_text

    rows = [
        (contract.name, f"{contract.address}{' (stands)' if contract.stands else ''}") for contract in plan.contracts
    ]
    rows += [
        ("deployer", plan.deployer),
        ("its balance", ether_text(plan.balance)),
        ("gas", f"about {plan.gas:,} in {plan.transactions} transactions"),
        ("cost", f"about {ether_text(plan.cost)} at {plan.gas_price:,} wei a gas; a rollup's own fee comes on top"),
    ]
    if not plan.is_affordable:
        rows.append(("beware", "the balance may not do: twice the cost is asked for, in case fees rise"))
    return rows


def _ask(plan: "Plan", chain_id: int, *, as_json: bool) -> None:
    """Raises SettingMissing: there is nobody to ask."""
    import sys

    from mintery.errors import SettingMissing

    if as_json or not sys.stdin.isatty():
        raise SettingMissing("--yes", "there is nobody to ask; see the plan with --dry-run first")
    pairs(_title(chain_id), _plan_rows(plan))(console(stderr=True))
    typer.confirm("Send these transactions?", abort=True, err=True)


def _show_deployed(path: Path, deployed: "Deployed", *, as_json: bool) -> None:
    from mintery.cli.session import tx_facts

    contracts = deployed.deployment.contracts
    facts = {
        "file": str(path),
        "reused": deployed.reused,
        "chain_id": deployed.deployment.chain_id,
        "genesis_hash": deployed.deployment.genesis_hash,
        "contracts": {name: contract.address for name, contract in contracts.items()},
        "outdated": list(deployed.outdated),
        "transactions": [tx_facts(receipt) for receipt in deployed.receipts],
    }
    rows: list[tuple[str, str]] = [(name, contract.address) for name, contract in contracts.items()]
    gas = sum(receipt.gas_used for receipt in deployed.receipts)
    rows += [("written to", str(path)), ("gas", f"{gas:,} in {len(deployed.receipts)} transactions")]
    title = "These contracts stand here already" if deployed.reused else "Contracts deployed"
    show(facts, pairs(f"{title}: chain {deployed.deployment.chain_id}", rows), as_json=as_json)
    if deployed.outdated and not as_json:
        console(stderr=True).print(f"Built from other sources than this release ships: {', '.join(deployed.outdated)}")
