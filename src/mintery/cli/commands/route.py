"""``mintery route``: which route a request would take, and why not another."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.money import nanos_text
from mintery.cli.options import DEFAULT_URL, ApiKey, GatewayUrl, Json
from mintery.cli.output import pairs, progress, show, table
from mintery.errors import FileMissing, MalformedRequest
from mintery.units import NanoCredits

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="See how requests are routed.", no_args_is_help=True)


@app.command("explain")
def explain(
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="What you would ask.")] = "Hello",
    *,
    api_key: ApiKey,
    model: Annotated[
        str,
        typer.Option(
            "--model", metavar="NAME", help="best, cheapest, fastest, consistent, auto, a shared name, or a route."
        ),
    ] = "auto",
    provider: Annotated[
        str | None,
        typer.Option("--provider", metavar="JSON", help="Preferences, as in the request's provider object."),
    ] = None,
    body: Annotated[
        Path | None, typer.Option("--body", metavar="FILE", help="A whole request body as JSON, in place of TEXT.")
    ] = None,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Print the choice, what would stand in for it, and why each other route would not answer. Nothing is spent."""
    from mintery.client import explain_route

    asked: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": text}]}
    if provider is not None:
        asked["provider"] = _parsed(provider)
    if body is not None:
        asked = _parsed(_read(body))
    with progress("Asking how this would be routed"):
        told = explain_route(url, api_key, asked)
    show(told, lambda out: _print(out, told), as_json=as_json)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileMissing(str(file)) from None
    except UnicodeDecodeError:
        raise MalformedRequest(f"{file} is not UTF-8") from None


def _parsed(text: str) -> dict[str, Any]:
    import orjson

    try:
        read = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"this is not JSON: {error.msg}") from None
    if not isinstance(read, dict):
        raise MalformedRequest("this is not a JSON object")
    return read


def _print(out: "Console", told: Mapping[str, Any]) -> None:
    chosen = told["chosen"]
    rows = [
        ("rule", str(told["rule"])),
        ("chosen", "nothing: no route can answer" if chosen is None else _name(chosen)),
    ]
    if told["hold_nanocredits"] is not None:
        rows.append(("held for it", nanos_text(NanoCredits(int(told["hold_nanocredits"]))) + ", all stand-ins covered"))
    pairs(f"How {told['asked']} is routed", rows)(out)
    ranked = [each for each in (chosen, *told["runners_up"]) if each is not None]
    table(
        "In the order in which they rank",
        ("route", "role", "quality ", "at most ", "answers in ", "calls ", "failed ", "breaker"),
        [_row(each) for each in ranked],
    )(out)
    if told["rejected"]:
        table("Rejected", ("route", "why"), [(each["route"], each["reason"]) for each in told["rejected"]])(out)


def _name(route: Mapping[str, Any]) -> str:
    return str(route["route"]) + (" (TEST: a stub makes its answers up)" if route["test"] else "")


def _row(route: Mapping[str, Any]) -> tuple[str, ...]:
    cost, takes = route["max_cost_nanocredits"], route["answer_ms"]
    return (
        str(route["route"]),
        str(route["role"]).replace("_", " "),
        str(route["quality"]),
        "" if cost is None else nanos_text(NanoCredits(int(cost)), ""),
        "not measured" if takes is None else f"{takes} ms",
        str(route["calls"]),
        str(route["failures"]),
        str(route["breaker"]).replace("_", "-"),
    )
