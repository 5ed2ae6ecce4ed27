"""``mintery serve``: a gateway that sells model calls for credits."""

from pathlib import Path
from typing import Annotated

import typer

from mintery.cli.options import DeploymentFile, Json, LedgerFile, RpcUrl
from mintery.cli.output import pairs, progress, show


def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Default: 8787; 0 takes any free port.")] = None,
    providers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Providers and the models they sell (TOML or JSON).")
    ] = None,
    *,
    ledger: LedgerFile = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Run a gateway with its jobs (sync, settle, prices, reconcile) until you stop it.

    Keys and the rest come from MINTERY_… variables; docs list them. On a local chain the dev accounts stand in.
    """
    from mintery.bootstrap import build_gateway
    from mintery.cli.session import settings_of
    from mintery.cli.waiting import until_signalled

    settings = settings_of(host=host, port=port, providers=providers, ledger=ledger, rpc_url=rpc, deployment=deployment)
    with progress("Starting the gateway"):
        gateway = build_gateway(settings)
    try:
        with progress("Reading the chain"):
            gateway.sync()
            gateway.board.refresh()
            gateway.jobs.start()
            url = gateway.serve(settings.host, settings.port)
        models = sorted(gateway.parts.models)
        facts = {"base_url": f"{url}/v1", "gateway": gateway.address, "models": models}
        rows = [("base_url", f"{url}/v1"), ("gateway", gateway.address), ("models", ", ".join(models))]
        with until_signalled() as stop:
            show(facts, pairs("Gateway running. Stop with Ctrl-C.", rows), as_json=as_json)
            stop.wait()
    finally:
        gateway.close()
