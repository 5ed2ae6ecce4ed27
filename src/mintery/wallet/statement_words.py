"""How a statement is told to people."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

LINE_WORDS: Mapping[str, str] = {
    "top_up": "Top-up",
    "use": "Used",
    "waived": "Not charged after all",
    "exit": "Paid back to you",
    "release": "Paid back to you",
}
GROUP_WORDS: Mapping[str, str] = {"key": "App or key", "model": "Model", "route": "Answered by", "provider": "Provider"}
KIND_WORDS: Mapping[str | None, str] = {"official": "Official balance", "routed": "Routed balance", None: "Balance"}
TEST_MONEY = "TEST MONEY: this statement is of play money, which is worth nothing."
CHANGES = "The newest days may still change: not everything in them is final yet."


def heading(wallet: Mapping[str, Any]) -> str:
    return f"{KIND_WORDS[wallet['kind']]} {wallet['symbol']}"


def figures(wallet: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The sum, term by term. What is nothing and rarely anything else is left out."""
    yield "Balance at the start", amount(wallet, "opening")
    yield "Topped up", amount(wallet, "top_ups", "+")
    yield "Used", amount(wallet, "use", "-")
    if wallet["waived_nanocredits"] != "0":
        yield "Not charged after all", amount(wallet, "waived", "+")
    yield "Paid back to you", amount(wallet, "paid_back", "-")
    yield "Balance at the end", amount(wallet, "closing")


def amount(facts: Mapping[str, Any], name: str, sign: str = "") -> str:
    """``-1.25 credits (1.25 USD)``; no sign before nothing."""
    credits_, usd = facts[f"{name}_credits"], facts[f"{name}_usd"]
    shown = f"{'' if credits_ == '0' else sign}{credits_}"
    return shown if usd is None else f"{shown} ({usd} USD)"


def line_words(entry: Mapping[str, Any]) -> str:
    """What a line is, and for a use what with."""
    words = LINE_WORDS[entry["kind"]] + (" (taken back)" if entry["undone"] else "")
    if "model" not in entry:
        return words
    return (
        f"{words}: {entry['model']}" + (" (backup)" if entry["backup"] else "") + (" (test)" if entry["test"] else "")
    )


def when(text: str) -> str:
    """An instant of the facts, to the second, on the holder's own clock."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S")
