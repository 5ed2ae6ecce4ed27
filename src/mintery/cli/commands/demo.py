"""``mintery demo``: everything once, every figure checked."""

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from mintery.cli.options import Json
from mintery.cli.output import console, progress, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from mintery.cli.demo.figures import Figure
    from mintery.cli.demo.steps import Step

_INDENT = 31


def demo(as_json: Json = False) -> None:
    """Show the whole way of the money once: reserve, mint, send, spend, settle, and prove that every figure agrees.

    It runs in this process, asks nothing, and keeps nothing. A wrong figure anywhere ends it with code 1.
    """
    begun = time.monotonic()
    if as_json:
        _as_facts(begun)
    else:
        _as_words(console(), begun)


def _as_facts(begun: float) -> None:
    from mintery.cli.demo.walk import walk

    steps: list[dict[str, Any]] = []

    def keep(step: "Step") -> None:
        steps.append({"step": step.name, "seconds": round(step.seconds, 3), **step.facts})

    with progress("Running the demo"):
        walk(lambda _: None, keep)
    write_json({"agrees": True, "seconds": round(time.monotonic() - begun, 3), "steps": steps})


def _as_words(out: "Console", begun: float) -> None:
    from rich.text import Text

    out.print()
    out.print(Text("Mintery: mint, hold, send and spend AI credits", style="bold"))
    out.print(Text("All of it here, in this process. Answers are TEST: a stub makes them up.\n", style="dim"))
    with progress("Loading"):
        from mintery.cli.demo.walk import walk

    with ExitStack() as waiting:

        def begin(name: str) -> None:
            waiting.enter_context(progress(name))

        def end(step: "Step") -> None:
            waiting.close()
            _print_step(out, step)

        figures = walk(begin, end)
    out.print()
    _print_figures(out, figures)
    out.print(Text(f"\nEvery figure agrees to the last unit. {time.monotonic() - begun:.1f} s in all.", style="bold"))
    out.print("Next: `mintery up` keeps a setup running and prints an API key for your own app.\n")


def _print_step(out: "Console", step: "Step") -> None:
    from rich.text import Text

    first, *rest = step.told.split("\n")
    mark = (f"{step.name:<20}", "bold"), (f"{step.seconds:5.1f} s  ", "dim")
    out.print(Text.assemble(("✓ ", "green"), *mark, first))
    for line in rest:
        out.print(Text(" " * _INDENT + line, style="dim"), no_wrap=True, overflow="ellipsis")


def _print_figures(out: "Console", figures: "tuple[Figure, ...]") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from mintery.cli.demo.minting import SYMBOL

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("figure")
    table.add_column("on chain", justify="right")
    table.add_column("in the books", justify="right")
    table.add_column("which are")
    table.add_column("")
    for figure in figures:
        sides = (figure.text(figure.chain, SYMBOL), figure.text(figure.books, SYMBOL))
        table.add_row(figure.name, *sides, figure.source, "=" if figure.agrees else "≠")
    out.print(table)
