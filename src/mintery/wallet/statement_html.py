"""A statement as one HTML page: to be read, printed and kept. It needs nothing else: its style is in it, and no script."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from mintery.usecases.show_statement import Entry, Statement
from mintery.usecases.statement_facts import GROUPS, entry_facts, statement_facts
from mintery.wallet.statement_words import CHANGES, GROUP_WORDS, TEST_MONEY, amount, figures, heading, line_words, when

STYLE = """
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
table { border-collapse: collapse; margin: 0 0 1.5rem; width: 100%; }
caption { font-weight: 600; padding: .5rem 0; text-align: left; }
th, td { border-bottom: 1px solid #8886; padding: .25rem .5rem; text-align: left; vertical-align: top; }
.n { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
.wide { overflow-x: auto; }
.test { border: 2px solid; font-weight: 700; padding: .5rem; }
@media print { body { max-width: none; } tr { break-inside: avoid; } }
"""
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FIGURES = ("", "Amount")
_LINES = ("When", "What", "App or key", "Amount", "Balance after it")


def html_parts(statement: Statement, entries: Iterable[Entry]) -> Iterator[bytes]:
    facts = statement_facts(statement)
    yield "".join(_head(facts)).encode()
    for wallet in facts["wallets"]:
        yield "".join(_wallet(wallet)).encode()
    yield _table_head("Every line", _LINES, numbers=2).encode()
    for entry in entries:
        yield _line(entry_facts(statement, entry)).encode()
    yield b"</tbody></table></div></main></body></html>\n"


def _head(facts: Mapping[str, Any]) -> Iterator[str]:
    period = facts["period"]
    title = f"Statement {period['name']}"
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{STYLE}</style></head><body><main>"
    if facts["test"]:
        yield f'<p class="test" role="note">{TEST_MONEY}</p>'
    yield f"<h1>{escape(title)}</h1><p>Holder {escape(facts['holder'])}<br>"
    yield f"From {when(period['start'])} up to {when(period['end'])}, {escape(period['time_zone'])}"
    yield "</p>" if period["final"] else f"<br>{CHANGES}</p>"


def _wallet(wallet: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2>{escape(heading(wallet))}</h2>"
    yield _table("Sum", _FIGURES, figures(wallet), numbers=1)
    for part in GROUPS:
        groups = wallet[f"by_{part}"]
        rows = [(each.get("label", each[part]), str(each["requests"]), amount(each, "use")) for each in groups]
        if rows:
            yield _table(f"By {GROUP_WORDS[part].lower()}", (GROUP_WORDS[part], "Requests", "Used"), rows, numbers=2)
    days = [(each["day"], str(each["requests"]), amount(each, "use")) for each in wallet["by_day"]]
    if days:
        yield _table("By day", ("Day", "Requests", "Used"), days, numbers=2)


def _line(entry: Mapping[str, Any]) -> str:
    of_key = escape(str(entry.get("label", "")))
    return (
        f"<tr><td>{when(entry['at'])}</td><td>{escape(line_words(entry))}</td><td>{of_key}</td>"
        f'<td class="n">{_amount(entry, "change")}</td>'
        f'<td class="n">{_amount(entry, "balance")}</td></tr>\n'
    )


def _amount(entry: Mapping[str, Any], name: str) -> str:
    return f"{entry[f'{name}_credits']} {escape(entry['symbol'])}"


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int) -> str:
    """The last ``numbers`` columns are of numbers."""
    words = len(columns) - numbers
    cells = (
        "".join(
            f'<th scope="row">{escape(cell)}</th>'
            if index == 0
            else f"<td{_CLASS if index >= words else ''}>{escape(cell)}</td>"
            for index, cell in enumerate(row)
        )
        for row in rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"{_table_head(caption, columns, numbers=numbers)}{body}</tbody></table></div>"


_CLASS = ' class="n"'


def _table_head(caption: str, columns: Sequence[str], *, numbers: int) -> str:
    words = len(columns) - numbers
    heads = "".join(
        f'<th scope="col"{_CLASS if index >= words else ""}>{escape(name)}</th>' if name else "<td></td>"
        for index, name in enumerate(columns)
    )
    return f'<div class="wide"><table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>\n'
