"""``mintery deploy``: put the contracts on a chain, or find them there."""

from pathlib import Path
from typing import Annotated

import typer

from mintery.cli.options import DeploymentFile, Json, Key, RpcUrl
from mintery.cli.output import console, pairs, progress, show


def deploy(
    key: Key = "dev:admin",
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What to deploy (TOML): asset, reporters, delays, providers, SKUs."),
    ] = None,
    *,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Deploy Mintery, or reuse what stands already, and write one deployment file that everything else reads.

    On a local chain nothing else is needed: test dollars, five reporters and the TEST provider come along. On any other
    chain --config names the stablecoin, the reporters and the delays.
    """
    from mintery.bootstrap import deploy_to, open_rpc
    from mintery.cli.deploy_config import read_deploy_config
    from mintery.cli.keys import read_key
    from mintery.cli.session import settings_of, tx_facts

    settings = settings_of(rpc_url=rpc, deployment=deployment)
    with progress("Deploying"):
        connected = open_rpc(settings)
        deployer = read_key(key, local=connected.is_local)
        wanted = None if config is None else read_deploy_config(config)
        path, deployed = deploy_to(connected, deployer, settings, wanted)
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
