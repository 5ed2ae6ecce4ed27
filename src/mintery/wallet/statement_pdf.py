"""A statement as a PDF to be filed: every sum, every day, and every line where they are few enough to be read.

A PDF is put together in memory, so its lines end at ``MOST_LINES``; beyond that it says so, and the CSV has them all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from mintery.usecases.show_statement import Entry, Statement
from mintery.usecases.statement_facts import GROUPS, entry_facts, statement_facts
from mintery.wallet.statement_words import CHANGES, GROUP_WORDS, TEST_MONEY, amount, figures, heading, line_words, when

if TYPE_CHECKING:
    from fpdf import FPDF

MOST_LINES = 1_000
_FONT = "helvetica"
_WIDTH = 180
_ROW = 5
Columns = Sequence[tuple[str, int]]
"""Headings with their widths in mm; those that end in a space are of numbers."""
_FIGURES: Columns = (("", 90), ("Amount ", 90))
_LINES: Columns = (("When", 34), ("What", 56), ("App or key", 34), ("Amount ", 28), ("Balance after it ", 28))


def pdf_parts(statement: Statement, entries: Iterable[Entry]) -> Iterator[bytes]:
    facts = statement_facts(statement)
    page = _document(statement, facts)
    for wallet in facts["wallets"]:
        _wallet(page, wallet)
    _lines(page, statement, entries)
    yield bytes(page.output())


def _document(statement: Statement, facts: Mapping[str, Any]) -> "FPDF":
    from fpdf import FPDF  # noqa: PLC0415 -- it brings pictures and fonts that nothing else needs

    class Page(FPDF):
        def footer(self) -> None:
            self.set_y(-12)
            self.set_font(_FONT, size=7)
            end = "TEST MONEY, " if facts["test"] else ""
            self.cell(
                0, 4, _latin(f"{end}statement {facts['period']['name']}, page {self.page_no()} of {{nb}}"), align="C"
            )

    page = Page(format="A4")
    page.set_margins(15, 15)
    page.set_auto_page_break(auto=True, margin=18)
    page.set_creation_date(statement.made_at)
    page.set_lang("en")
    period = facts["period"]
    page.set_title(f"Statement {period['name']}")
    page.add_page()
    _text(page, f"Statement {period['name']}", size=16, bold=True)
    if facts["test"]:
        _text(page, TEST_MONEY, bold=True)
    _text(page, f"Holder {facts['holder']}")
    _text(page, f"From {when(period['start'])} up to {when(period['end'])}, {period['time_zone']}")
    if not period["final"]:
        _text(page, CHANGES)
    return page


def _wallet(page: "FPDF", wallet: Mapping[str, Any]) -> None:
    page.ln(4)
    _text(page, heading(wallet), size=12, bold=True)
    _table(page, _FIGURES, figures(wallet))
    for part in GROUPS:
        groups = wallet[f"by_{part}"]
        rows = [(each.get("label", each[part]), str(each["requests"]), amount(each, "use")) for each in groups]
        _table(page, ((GROUP_WORDS[part], 80), ("Requests ", 30), ("Used ", 70)), rows)
    days = [(each["day"], str(each["requests"]), amount(each, "use")) for each in wallet["by_day"]]
    _table(page, (("Day", 80), ("Requests ", 30), ("Used ", 70)), days)


def _lines(page: "FPDF", statement: Statement, entries: Iterable[Entry]) -> None:
    """All of them or none: a part of a list would pass for the whole."""
    listed = list(islice(entries, MOST_LINES + 1))
    page.ln(4)
    _text(page, "Every line", size=12, bold=True)
    if len(listed) > MOST_LINES:
        _text(page, f"There are more than {MOST_LINES} lines. The sums above are of all of them; the CSV lists each.")
        return
    _table(page, _LINES, (_row(entry_facts(statement, entry)) for entry in listed))


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        when(entry["at"]),
        line_words(entry),
        str(entry.get("label", "")),
        entry["change_credits"],
        f"{entry['balance_credits']}",
    )


def _table(page: "FPDF", columns: Columns, rows: Iterable[Sequence[str]]) -> None:
    listed = list(rows)
    if not listed:
        return
    page.ln(2)
    page.set_font(_FONT, "B", 8)
    _cells(page, columns, [name.strip() for name, _ in columns])
    page.set_font(_FONT, size=8)
    for row in listed:
        _cells(page, columns, row)


def _cells(page: "FPDF", columns: Columns, row: Sequence[str]) -> None:
    for (name, width), cell in zip(columns, row, strict=True):
        page.cell(
            width, _ROW, _fitted(page, _latin(cell), width - 2), border="B", align="R" if name.endswith(" ") else "L"
        )
    page.ln(_ROW)


def _fitted(page: "FPDF", text: str, width: int) -> str:
    """Shortened at its end to ``width`` mm. An amount never needs it."""
    if page.get_string_width(text) <= width:
        return text
    while text and page.get_string_width(text + "...") > width:
        text = text[:-1]
    return text + "..."


def _text(page: "FPDF", text: str, *, size: int = 9, bold: bool = False) -> None:
    page.set_font(_FONT, "B" if bold else "", size)
    page.multi_cell(_WIDTH, size / 2, _latin(text), new_x="LMARGIN", new_y="NEXT")


def _latin(text: str) -> str:
    """What the PDF's own fonts can show; a question mark for the rest."""
    return text.encode("latin-1", "replace").decode("latin-1")
