"""``mintery reporter``: one price reporter by itself."""

from typing import TYPE_CHECKING, Annotated

import typer

from mintery.cli.options import DeploymentFile, Json, RpcUrl
from mintery.cli.output import pairs, progress, show

if TYPE_CHECKING:
    from mintery.crypto.keys import PrivateKey

DEFAULT_PORT = 8790


def reporter(
    peers: Annotated[
        list[str] | None,
        typer.Option(
            "--peer", metavar="ADDRESS=URL", help="Another reporter and where it shows its report; repeat it."
        ),
    ] = None,
    *,
    key: Annotated[
        str | None,
        typer.Option(
            "--key", metavar="KEY", help="Whose reports these are. Default: MINTERY_REPORTER_KEYS, which has one."
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Where to show the report. Default: 127.0.0.1.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any free port.")] = DEFAULT_PORT,
    rpc: RpcUrl = None,
    deployment: DeploymentFile = None,
    as_json: Json = False,
) -> None:
    """Run one price reporter with its own key and its own sources, until you stop it.

    Once an epoch it looks at its sources (MINTERY_PRICE_FILES, MINTERY_PRICE_URLS, MINTERY_LITELLM_PRICES, genai-prices), signs
    what it saw, and shows it at /v1/price-report, where the other reporters read it. As soon as a quorum agrees, any one of them
    sends all reports to the oracle; there is no hub. /healthz names a reporter that contradicts the quorum, one that is
    silent, and one that shows an old report or somebody else's; /metrics says the same to Prometheus. What it signed stays in the
    home directory: started again in the same epoch, it shows that again, for two reports of one epoch would be held against it.

    Which model a SKU is at a source, it believes of nobody but its operator and the oracle. A tier stands in the SKU's own name; a
    model's other name, or its times of day, stand in MINTERY_PROVIDERS, and where MINTERY_LEDGER names the operator's ledger in the
    channels that were added while all runs. A gateway is not asked: its word would decide whose price is signed.

    KEY is a keystore file, or the name of a variable that holds a private key; dev:reporter1 to dev:reporter5 on a local chain.
    It pays the gas, unless MINTERY_SENDER_KEY does.
    """
    from mintery.bootstrap import start_reporter
    from mintery.cli.session import open_chain, settings_of
    from mintery.serving.waiting import until_signalled

    settings = settings_of(host=host, port=port, rpc_url=rpc, deployment=deployment, reporter_peers=peers)
    with progress("Starting the reporter"):
        own = None if key is None else _key(key, local=open_chain(rpc, deployment).rpc.is_local)
        running = start_reporter(settings, own)
    lone = running.lone
    facts = {"reporter": lone.address, "url": running.url, "peers": dict(lone.peers), "seconds": running.seconds}
    rows = [
        ("reporter", lone.address),
        ("report", f"{running.url}/v1/price-report"),
        ("health", f"{running.url}/healthz"),
    ]
    rows += [("peer", f"{address} {url}") for address, url in lone.peers.items()]
    try:
        with until_signalled() as stop:
            show(facts, pairs("Reporter running. Stop with Ctrl-C.", rows), as_json=as_json)
            running.run(stop)
    finally:
        running.close()


def _key(text: str, *, local: bool) -> "PrivateKey":
    """As everywhere, and the dev chain's reporters by their names: they own no ether, so no other command takes them."""
    from mintery.bootstrap import DEV_ROLES, dev_role
    from mintery.cli.keys import DEV_PREFIX, read_key

    name = text.removeprefix(DEV_PREFIX)
    if text.startswith(DEV_PREFIX) and name in DEV_ROLES:
        return dev_role(name, local=local)
    return read_key(text, local=local)
