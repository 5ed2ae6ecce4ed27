"""``mintery channel``: what a gateway sells, and how; each change is kept with who made it and why."""

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from mintery.cli.channels_shown import print_channels, print_discovered, setting_text, show_change, who
from mintery.cli.options import DEFAULT_URL, GatewayUrl, Json
from mintery.cli.output import pairs, progress, show, table
from mintery.errors import FileMissing, MalformedRequest

app = typer.Typer(help="See what the gateway sells, and change it while it runs.", no_args_is_help=True)

Channel = Annotated[str, typer.Argument(metavar="CHANNEL", help="PROVIDER/MODEL, as `mintery channel list` shows it.")]
Provider = Annotated[str, typer.Argument(metavar="PROVIDER", help="A provider that the providers file names.")]
Switch = Annotated[bool, typer.Option("--on/--off", help="Allow it, or forbid it.", show_default=False)]
OperatorKey = Annotated[
    str,
    typer.Option("--operator-key", metavar="KEY", help="The gateway's operator key.", envvar="MINTERY_OPERATOR_KEY"),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stays in the ledger.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who changes it; it stays in the ledger.")]


@app.command("list")
def list_(operator_key: OperatorKey, url: GatewayUrl = DEFAULT_URL, as_json: Json = False) -> None:
    """List official channels and ordinary routes apart, with what keeps each from being sold."""
    from mintery.client import channels

    with progress("Asking the gateway"):
        told = channels.list_channels(url, operator_key)
    show(told, lambda out: print_channels(out, told), as_json=as_json)


@app.command("history")
def history(
    operator_key: OperatorKey,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A channel, provider or shared name.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="How many, newest first.")] = 50,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Show what was changed, when, by whom and why."""
    from mintery.client import channels

    with progress("Asking the gateway"):
        told = channels.channel_history(url, operator_key, name, limit=limit)
    rows = [
        (
            each["at"][:19],
            each["name"],
            each["setting"],
            *(setting_text(each, when) for when in ("before", "after")),
            who(each),
        )
        for each in told["data"]
    ]
    columns = ("at (UTC)", "of", "setting", "before", "after", "by")
    show(told, table("Changes", columns, rows), as_json=as_json)


@app.command("discover")
def discover(
    operator_key: OperatorKey,
    provider: Annotated[str | None, typer.Argument(metavar="[PROVIDER]", help="One alone; all by default.")] = None,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Ask providers what they offer: models that are new, channels whose model is gone, channels without a price."""
    from mintery.client import channels

    with progress("Asking the providers"):
        told = channels.discover_models(url, operator_key, provider)
    show(told, lambda out: print_discovered(out, told["data"]), as_json=as_json)


class _Says(NamedTuple):
    """Who changes something, where, and why."""

    url: str
    operator_key: str
    said: dict[str, str]


Told = dict[str, Any]


def _frame(
    *,
    operator_key: OperatorKey,
    reason: Reason,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """What every change takes beside its own parameters."""


def _change(name: str, doing: str) -> Callable[[Callable[..., Told]], Callable[..., Told]]:
    """A command of the parameters that follow the first one, and of ``_frame``'s, which that first one brings together."""

    def framed(ask: Callable[..., Told]) -> Callable[..., Told]:
        def command(*, operator_key: str, reason: str, by: str, url: str, as_json: bool, **own: Any) -> None:
            with progress(doing):
                told = ask(_Says(url, operator_key, {"reason": reason, "by": by}), **own)
            show_change(told, as_json=as_json)

        _, *own = signature(ask, eval_str=True).parameters.values()
        taken = [*own, *signature(_frame, eval_str=True).parameters.values()]
        shown = Signature([each.replace(kind=Parameter.KEYWORD_ONLY) for each in taken])
        command.__signature__ = shown  # type: ignore[attr-defined]  # what ``inspect`` and so typer read
        command.__annotations__ = {each.name: each.annotation for each in taken}
        command.__doc__ = ask.__doc__
        app.command(name)(command)
        return ask

    return framed


@_change("add", "Adding it")
def add(
    says: _Says,
    channel: Channel,
    terms: Annotated[
        Path | None,
        typer.Option(
            "--terms", metavar="FILE", help="JSON: the model as the providers file would declare it, without its id."
        ),
    ] = None,
) -> Told:
    """Sell a model of a provider that the providers file names; without --terms, put back one that the file declares."""
    from mintery.client import channels

    return channels.add_channel(*says[:2], channel, says.said, None if terms is None else _read(terms))


@_change("remove", "Removing it")
def remove(says: _Says, channel: Channel) -> Told:
    """Sell and list it no more. Requests that have their hold are answered."""
    from mintery.client import channels

    return channels.remove_channel(*says[:2], channel, says.said)


@_change("enable", "Enabling it")
def enable(says: _Says, channel: Channel) -> Told:
    """Put it back on sale."""
    from mintery.client import channels

    return channels.enable_channel(*says[:2], channel, says.said, enabled=True)


@_change("disable", "Disabling it")
def disable(says: _Says, channel: Channel) -> Told:
    """Take it from sale until it is enabled again."""
    from mintery.client import channels

    return channels.enable_channel(*says[:2], channel, says.said, enabled=False)


@_change("primary", "Ordering them")
def primary(
    says: _Says,
    channel: Channel,
    backups: Annotated[
        list[str] | None, typer.Option("--backup", metavar="CHANNEL", help="Stands in first; repeat it for the next.")
    ] = None,
) -> Told:
    """Ask it first among the channels that share its name; the others stand in."""
    from mintery.client import channels

    return channels.make_primary(*says[:2], channel, says.said, backups or ())


@_change("multiplier", "Setting it")
def multiplier(
    says: _Says,
    channel: Channel,
    basis_points: Annotated[
        int | None,
        typer.Argument(metavar="[BPS]", min=0, help="Over the provider's price; left out: each project's own markup."),
    ] = None,
) -> Told:
    """Ask less over the provider's price than the projects' markup, never more. Official channels pass prices through."""
    from mintery.client import channels

    return channels.set_multiplier(*says[:2], channel, says.said, basis_points)


@_change("own-key", "Setting it")
def own_key(says: _Says, channel: Channel, *, allowed: Switch = True) -> Told:
    """Let callers bring their own key of its provider (Mintery-Provider-Key): they pay the gateway's fee alone."""
    from mintery.client import channels

    return channels.allow_own_key(*says[:2], channel, says.said, allowed=allowed)


@app.command("resale")
def resale(
    provider: Provider,
    operator_key: OperatorKey,
    reason: Reason,
    *,
    allowed: Annotated[bool, typer.Option("--on/--off", help="Whether its models may be sold on.")],
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Say whether a provider lets its models be sold on. Off: none of its routes takes new holds, anywhere, within seconds."""
    from mintery.client import channels

    with progress("Setting it"):
        told = channels.allow_resale(url, operator_key, provider, {"reason": reason, "by": by}, allowed=allowed)
    state = "may be sold on" if allowed else "may not be sold on: none of its routes takes new holds"
    rows = [("provider", provider), ("its models", state), ("changed", "yes" if told["change"] else "no: it was so")]
    show(told, pairs("Resale", rows), as_json=as_json)


def _read(file: Path) -> dict[str, Any]:
    import orjson

    try:
        read = orjson.loads(file.read_bytes())
    except FileNotFoundError:
        raise FileMissing(str(file)) from None
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"{file} is not JSON: {error.msg}") from None
    if not isinstance(read, dict):
        raise MalformedRequest(f"{file} is not a JSON object")
    return read
