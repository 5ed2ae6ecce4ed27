"""Options that many commands share, said once."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.", show_default=False)]
RpcUrl = Annotated[
    str | None,
    typer.Option(
        "--rpc",
        metavar="URL",
        help="The chain's JSON-RPC endpoint, or several, separated by commas.",
        envvar="MINTERY_RPC_URL",
    ),
]
DeploymentFile = Annotated[
    Path | None,
    typer.Option("--deployment", metavar="FILE", help="A deployment file; by default the chain's own, in ~/.mintery."),
]
LedgerFile = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        metavar="FILE|URL",
        help="A ledger file, or postgresql://…; by default the chain's own file, in ~/.mintery.",
    ),
]
Key = Annotated[
    str,
    typer.Option(
        "--key",
        metavar="KEY",
        help="Whose key signs: dev:0 to dev:9 or dev:issuer and the like (local chains only), a keystore file, or the "
        "NAME of an environment variable that holds a private key.",
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token", metavar="TOKEN", help="The project's token: address or symbol. Default: the only one there is."
    ),
]
Gateway = Annotated[
    str | None,
    typer.Option("--gateway", metavar="ADDRESS", help="The gateway that vouchers name. Default: this setup's."),
]
Signer = Annotated[
    str | None,
    typer.Option(
        "--signer", metavar="ADDRESS", help="The session key whose vouchers spend. Default: the holder itself."
    ),
]
GatewayUrl = Annotated[
    str,
    typer.Option("--url", metavar="URL", help="The gateway's address, ending in /v1.", envvar="MINTERY_URL"),
]
ApiKey = Annotated[
    str, typer.Option("--api-key", metavar="KEY", help="The voucher key (mv1.…).", envvar="MINTERY_API_KEY")
]
DEFAULT_URL = "http://127.0.0.1:8787/v1"
