"""``mintery serve``: a gateway that sells model calls for credits, in one process or in several."""

import os
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    processes: Annotated[
        int, typer.Option(min=1, max=256, help="Gateway processes behind the one port; more than one needs PostgreSQL.")
    ] = 1,
    test: Annotated[
        bool, typer.Option("--test", help="Sell a stub's TEST answers, on a local chain.", show_default=False)
    ] = False,
    ledger: LedgerFile = None,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
    inherit: Annotated[list[int] | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run a gateway with its jobs (sync, settle, prices, reconcile) until you stop it.

    Keys and the rest come from MINTERY_… variables (src/mintery/settings.py lists them). On a local chain the dev accounts
    stand in.

    Several processes share one PostgreSQL, here with --processes, or each started by itself on a port of its own, on any
    number of machines. All of them answer; each job runs in one of them, its leader, and within seconds in another one
    when that dies (`GET /v1/operator/status` names the leaders). They need the same keys, providers and chain.
    With --processes each one also answers alone, at the ports after that one: /metrics and /v1/operator/drain are of one
    process.

    A process that is killed loses the answers it was giving: their holds are released after their lease and 15 minutes,
    and nobody pays for them. What was captured stays charged once, and its answer is there for a retry. SIGTERM lets
    a process finish first. Back up the database alone: with the chain and the keys it is everything there is.
    """
    from mintery.cli.session import settings_of

    settings = settings_of(host=host, port=port, providers=providers, ledger=ledger, rpc_url=rpc, deployment=deployment)
    if processes > 1:
        _supervise(settings, processes, test=test, as_json=as_json)
    else:
        _serve(settings, test=test, as_json=as_json, inherit=inherit)


def _serve(settings: "Settings", *, test: bool, as_json: bool, inherit: list[int] | None) -> None:
    from mintery.bootstrap.serving import spare_collector
    from mintery.serving.waiting import until_signalled

    with ExitStack() as scope:
        with progress("Starting the gateway"):
            gateway, url = (_start_test if test else _start)(settings, scope, inherit)
        facts = {
            "base_url": f"{url}/v1",
            "pages": f"{url}/wallet",
            "gateway": gateway.address,
            "models": sorted(gateway.parts.models),
            "test": test,
        }
        stop = scope.enter_context(until_signalled())
        spare_collector()
        if inherit is None:
            _tell(facts, as_json=as_json)
        else:
            _answer_supervisor(facts, stop)
        stop.wait()


def _supervise(settings: "Settings", processes: int, *, test: bool, as_json: bool) -> None:
    import orjson

    from mintery.bootstrap import supervise
    from mintery.errors import ChildFailed
    from mintery.serving.waiting import until_signalled

    arguments = ["serve", *(["--test"] if test else []), *(["--json"] if as_json else [])]
    with until_signalled() as stop:
        supervisor = supervise(settings, arguments, processes=processes)
        try:
            with progress(f"Starting {processes} gateway processes"):
                facts = orjson.loads(supervisor.start())
        except ChildFailed as failed:
            if failed.code < 0:
                raise
            sys.stdout.write(failed.said)  # the child has told why, where and as it was asked to
            raise typer.Exit(failed.code) from None
        try:
            _tell({**facts, "processes": supervisor.children}, as_json=as_json)
            supervisor.watch(stop)
        finally:
            supervisor.close()


def _tell(facts: dict[str, Any], *, as_json: bool) -> None:
    rows = [
        ("base_url", facts["base_url"]),
        ("pages", facts["pages"]),
        ("gateway", facts["gateway"]),
        ("models", ", ".join(facts["models"])),
        *[(f"process {each['pid']}", each["url"]) for each in facts.get("processes", [])],
    ]
    title = "Gateway running" + (", TEST answers only" if facts["test"] else "")
    show(facts, pairs(f"{title}. Stop with Ctrl-C.", rows), as_json=as_json)


def _answer_supervisor(facts: dict[str, Any], stop: threading.Event) -> None:
    """Say that this process is ready, in a line, and stop when the supervisor has gone."""
    import orjson

    print(orjson.dumps(facts).decode(), flush=True)

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # not through a buffer, whose lock a thread must not hold when the program ends
        stop.set()

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()


def _start(settings: "Settings", scope: ExitStack, inherit: list[int] | None) -> "tuple[Gateway, str]":
    from mintery.bootstrap import build_gateway, inherited

    gateway = build_gateway(settings)
    scope.callback(gateway.close)
    gateway.sync()
    gateway.board.refresh()
    gateway.jobs.start()
    return gateway, gateway.serve(settings.host, settings.port, listeners=[inherited(each) for each in inherit or []])


def _start_test(settings: "Settings", scope: ExitStack, inherit: list[int] | None) -> "tuple[Gateway, str]":
    from mintery.bootstrap import inherited, start_test_gateway

    started = scope.enter_context(start_test_gateway(settings, listeners=[inherited(each) for each in inherit or []]))
    return started.gateway, started.url
