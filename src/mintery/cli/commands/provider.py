"""``mintery provider``: who sells model calls, and what they are owed."""

from typing import Annotated

import typer

from mintery.cli.money import assets_text
from mintery.cli.options import DeploymentFile, Json, Key, RpcUrl
from mintery.cli.output import pairs, progress, show, table

app = typer.Typer(help="See providers and pay them what they are owed.", no_args_is_help=True)


@app.command("list")
def list_(rpc: RpcUrl = None, deployment: DeploymentFile = None, as_json: Json = False) -> None:
    """List registered providers with what the vault owes each."""
    from mintery.cli.session import open_chain

    with progress("Reading the registry"):
        chain = open_chain(rpc, deployment)
        found = [(provider, chain.vault.owed_to(provider.id)) for provider in chain.registry.providers()]
    facts = {
        "providers": [
            {
                "id": provider.id,
                "name": provider.name,
                "kind": provider.kind.value,
                "active": provider.active,
                "payout": provider.payout,
                "owed": str(owed),
            }
            for provider, owed in found
        ]
    }
    rows = [(str(p.id), p.name, p.kind.value, "yes" if p.active else "no", assets_text(owed)) for p, owed in found]
    show(facts, table("Providers", ("id ", "name", "kind", "active", "owed "), rows), as_json=as_json)


@app.command("withdraw")
def withdraw(
    name: Annotated[str, typer.Argument(help="The provider's name.")],
    key: Key,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Pay a provider what settlements have earned it. Anyone may send this; the money goes to the provider."""
    from mintery.cli.keys import read_key
    from mintery.cli.session import open_chain, tx_facts
    from mintery.usecases.withdraw_owed import withdraw_owed

    with progress("Withdrawing"):
        chain = open_chain(rpc, deployment)
        sender = chain.sender(read_key(key, local=chain.rpc.is_local))
        paid = withdraw_owed(chain, sender, chain.registry.id_of(name))
    facts = {
        "provider": name,
        "provider_id": paid.provider,
        "payout": paid.payout,
        "claim": str(paid.claim),
        "assets": str(paid.assets),
        **tx_facts(paid.tx),
    }
    rows = [("paid", assets_text(paid.assets)), ("to", paid.payout), ("transaction", paid.tx.hash)]
    show(facts, pairs("Provider paid", rows), as_json=as_json)
