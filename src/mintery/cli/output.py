"""What commands print: with ``--json`` one JSON object on standard output and nothing else there; people get words.

Progress and errors for people go to standard error.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 100
_QUIET_SECONDS = 2.0


def is_json() -> bool:
    """Errors of the command line itself come before any option was parsed."""
    return "--json" in sys.argv[1:]


def console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            """Console ends the process with 1, which says here that a check failed; `run` knows better."""
            raise BrokenPipeError

    wide = Piped(stderr=stderr, highlight=False, soft_wrap=False)
    wide.width = min(wide.width, WIDTH) if wide.is_terminal else WIDTH
    return wide


def printable(text: str) -> str:
    """``text`` without what a terminal obeys or shows elsewhere. Whoever opens a project chooses its symbol, so a cell may
    hold anything; line breaks are ours and stay.
    """
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)


def show(facts: Mapping[str, Any], render: Callable[["Console"], None], *, as_json: bool) -> None:
    """``facts`` as JSON, or what ``render`` prints. Amounts that can pass 2**53 are strings already."""
    if as_json:
        write_json(facts)
    else:
        render(console())


def write_json(facts: Mapping[str, Any]) -> None:
    import orjson

    sys.stdout.write(orjson.dumps(dict(facts), option=orjson.OPT_INDENT_2).decode() + "\n")
    sys.stdout.flush()


def pairs(title: str, rows: Sequence[tuple[str, str]]) -> Callable[["Console"], None]:
    """A heading and lines of ``name  value``."""

    def render(out: "Console") -> None:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 3))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in rows:
            grid.add_row("  " + printable(name), Text(printable(value)))
        out.print(Text(printable(title), style="bold"))
        out.print(grid)

    return render


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Callable[["Console"], None]:
    """A table; columns whose heading ends in a space are aligned to the right."""

    def render(out: "Console") -> None:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        grid = Table(box=SIMPLE_HEAD, pad_edge=False, title=None)
        for column in columns:
            grid.add_column(column.strip(), justify="right" if column.endswith(" ") else "left", overflow="fold")
        for row in rows:
            grid.add_row(*(Text(printable(cell)) for cell in row))
        out.print(Text(printable(title), style="bold"))
        out.print(grid if rows else Text("  none", style="dim"))

    return render


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Tells on standard error what a person is waiting for: at once on a terminal, after two seconds elsewhere."""
    if sys.stderr.isatty():
        with console(stderr=True).status(text):
            yield
        return
    timer = threading.Timer(_QUIET_SECONDS, lambda: print(f"{text} …", file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
