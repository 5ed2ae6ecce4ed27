"""Who acts: by a sign-in's token, or by a key that signs in for this one command."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.errors import UnknownProject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mintery.crypto.keys import PrivateKey

HolderKey = Annotated[
    str,
    typer.Option(
        "--key",
        metavar="KEY",
        help="The holder's key, which signs in: dev:holder and the like (local chains only), a keystore file, or the NAME of "
        "an environment variable.",
        envvar="MINTERY_HOLDER_KEY",
    ),
]
Usd = Annotated[str | None, typer.Option("--usd", metavar="DOLLARS", help="In dollars, by the project's par.")]
Credits = Annotated[str | None, typer.Option("--credits", metavar="CREDITS", help="In credits.")]
_LOCAL_CHAINS = frozenset({1337, 31337})


def holder_key(url: str, key: str) -> "PrivateKey":
    """Raises UnknownAccountKey, DevKeyOnRealChain."""
    from mintery.cli.keys import read_key
    from mintery.client.wallet import chain_id_of

    return read_key(key, local=chain_id_of(url) in _LOCAL_CHAINS)


def ask(method: str, url: str, path: str, key: str, body: "Mapping[str, Any] | None" = None) -> dict[str, Any]:
    """Sign in and ask one thing; ``path`` is behind ``/wallet``."""
    from mintery.client.calls import call
    from mintery.client.wallet import sign_in

    return call(method, f"{url}/wallet{path}", sign_in(url, holder_key(url, key)), body)


def amount_of(usd: str | None, credits_: str | None) -> dict[str, str]:
    given = {name: amount for name, amount in (("usd", usd), ("credits", credits_)) if amount is not None}
    if len(given) != 1:
        raise typer.BadParameter("give either --usd or --credits")
    return given


def find_project(url: str, token: str, text: str | None) -> str:
    """Of the holder's balances: by address, else by symbol where only one has it, or the only one there is.

    Raises:
        UnknownProject
    """
    from mintery.client.calls import call

    balances = call("GET", f"{url}/wallet", token)["balances"]
    fitting = [
        each for each in balances if text is None or text.lower() in {each["token"].lower(), each["symbol"].lower()}
    ]
    if len(fitting) != 1:
        raise UnknownProject(text, [f"{each['symbol']} {each['token']}" for each in balances])
    return str(fitting[0]["token"])
