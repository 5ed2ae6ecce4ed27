"""``mintery channel``: what a gateway sells, and how; each change is kept with who made it and why."""

from pathlib import Path
from typing import Annotated, Any

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


@app.command("add")
def add(
    channel: Channel,
    operator_key: OperatorKey,
    reason: Reason,
    *,
    terms: Annotated[
        Path | None,
        typer.Option(
            "--terms", metavar="FILE", help="JSON: the model as the providers file would declare it, without its id."
        ),
    ] = None,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Sell a model of a provider that the providers file names; without --terms, put back one that the file declares."""
    from mintery.client import channels

    declared = None if terms is None else _read(terms)
    with progress("Adding it"):
        told = channels.add_channel(url, operator_key, channel, _said(reason, by), declared)
    show_change(told, as_json=as_json)


@app.command("remove")
def remove(
    channel: Channel,
    *,
    operator_key: OperatorKey,
    reason: Reason,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Sell and list it no more. Requests that have their hold are answered."""
    from mintery.client import channels

    with progress("Removing it"):
        told = channels.remove_channel(url, operator_key, channel, _said(reason, by))
    show_change(told, as_json=as_json)


@app.command("enable")
def enable(
    channel: Channel,
    *,
    operator_key: OperatorKey,
    reason: Reason,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Put it back on sale."""
    from mintery.client import channels

    with progress("Enabling it"):
        told = channels.enable_channel(url, operator_key, channel, _said(reason, by), enabled=True)
    show_change(told, as_json=as_json)


@app.command("disable")
def disable(
    channel: Channel,
    *,
    operator_key: OperatorKey,
    reason: Reason,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Take it from sale until it is enabled again."""
    from mintery.client import channels

    with progress("Disabling it"):
        told = channels.enable_channel(url, operator_key, channel, _said(reason, by), enabled=False)
    show_change(told, as_json=as_json)


@app.command("primary")
def primary(
    channel: Channel,
    operator_key: OperatorKey,
    reason: Reason,
    *,
    backups: Annotated[
        list[str] | None, typer.Option("--backup", metavar="CHANNEL", help="Stands in first; repeat it for the next.")
    ] = None,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Ask it first among the channels that share its name; the others stand in."""
    from mintery.client import channels

    with progress("Ordering them"):
        told = channels.make_primary(url, operator_key, channel, _said(reason, by), backups or ())
    show_change(told, as_json=as_json)


@app.command("multiplier")
def multiplier(
    channel: Channel,
    *,
    operator_key: OperatorKey,
    reason: Reason,
    basis_points: Annotated[
        int | None,
        typer.Argument(metavar="[BPS]", min=0, help="Over the provider's price; left out: each project's own markup."),
    ] = None,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Ask less over the provider's price than the projects' markup, never more. Official channels pass prices through."""
    from mintery.client import channels

    with progress("Setting it"):
        told = channels.set_multiplier(url, operator_key, channel, _said(reason, by), basis_points)
    show_change(told, as_json=as_json)


@app.command("own-key")
def own_key(
    channel: Channel,
    *,
    operator_key: OperatorKey,
    reason: Reason,
    allowed: Switch = True,
    by: By = "operator",
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Let callers bring their own key of its provider (Mintery-Provider-Key): they pay the gateway's fee alone."""
    from mintery.client import channels

    with progress("Setting it"):
        told = channels.allow_own_key(url, operator_key, channel, _said(reason, by), allowed=allowed)
    show_change(told, as_json=as_json)


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
        told = channels.allow_resale(url, operator_key, provider, _said(reason, by), allowed=allowed)
    state = "may be sold on" if allowed else "may not be sold on: none of its routes takes new holds"
    rows = [("provider", provider), ("its models", state), ("changed", "yes" if told["change"] else "no: it was so")]
    show(told, pairs("Resale", rows), as_json=as_json)


def _said(reason: str, by: str) -> dict[str, str]:
    return {"reason": reason, "by": by}


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
