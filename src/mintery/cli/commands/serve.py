"""``mintery serve``: a gateway that sells model calls for credits."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mintery.cli.options import DeploymentFile, Json, LedgerFile, RpcUrl
from mintery.cli.output import pairs, progress, show

if TYPE_CHECKING:
    from mintery.bootstrap import Gateway
    from mintery.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Default: 8787; 0 takes any free port.")] = None,
    providers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Providers and the models they sell (TOML or JSON).")
    ] = None,
    *,
    test: Annotated[
        bool, typer.Option("--test", help="Sell a stub's TEST answers, on a local chain.", show_default=False)
    ] = False,
    ledger: LedgerFile = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Run a gateway with its jobs (sync, settle, prices, reconcile) until you stop it.

    Keys and the rest come from MINTERY_… variables (src/mintery/settings.py lists them). On a local chain the dev accounts
    stand in.
    """
    from mintery.cli.session import settings_of
    from mintery.cli.waiting import until_signalled

    settings = settings_of(host=host, port=port, providers=providers, ledger=ledger, rpc_url=rpc, deployment=deployment)
    with ExitStack() as scope:
        with progress("Starting the gateway"):
            gateway, url = _start_test(settings, scope) if test else _start(settings, scope)
        models = sorted(gateway.parts.models)
        facts = {"base_url": f"{url}/v1", "gateway": gateway.address, "models": models, "test": test}
        rows = [("base_url", f"{url}/v1"), ("gateway", gateway.address), ("models", ", ".join(models))]
        title = "Gateway running" + (", TEST answers only" if test else "")
        stop = scope.enter_context(until_signalled())
        show(facts, pairs(f"{title}. Stop with Ctrl-C.", rows), as_json=as_json)
        stop.wait()


def _start(settings: "Settings", scope: ExitStack) -> "tuple[Gateway, str]":
    from mintery.bootstrap import build_gateway

    gateway = build_gateway(settings)
    scope.callback(gateway.close)
    gateway.sync()
    gateway.board.refresh()
    gateway.jobs.start()
    return gateway, gateway.serve(settings.host, settings.port)


def _start_test(settings: "Settings", scope: ExitStack) -> "tuple[Gateway, str]":
    from mintery.bootstrap import start_test_gateway

    started = scope.enter_context(start_test_gateway(settings))
    return started.gateway, started.url
