"""One month of one holder in four forms: all of them say the same, and add up to what the ledger has."""

import csv
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.rig import OTHER_TOKEN, Rig, key_text, private_key
from tests.wallet.browser import signed_in
from typer.testing import CliRunner

from mintery.cli.app import app
from mintery.domain.voucher import Address
from mintery.errors import GatewayUnreachable, StatementsBusy
from mintery.usecases import show_statement
from mintery.wallet import statement as statement_module
from mintery.wallet import statement_pdf
from mintery.wallet.statement import Turns
from mintery.wallet.statement_text import _word, in_chunks

PATH = "/v1/wallet/statement"
APPS = [key_text(credits_=90, secret=bytes([number]) * 32) for number in (1, 2, 3)]


def use(gateway: Rig) -> None:
    """Three apps with a key each, on one account; one call that costs nothing."""
    for number, key in enumerate(APPS):
        for _ in range(number + 1):
            assert gateway.chat(key=key, text="word " * (number + 3)).status_code == 200
    assert (
        gateway.post("/v1/embeddings", key=APPS[0], json={"model": "test/embed", "input": "a b c"}).status_code == 200
    )


def read(gateway: Rig, key: str | None = None, **query: Any) -> httpx2.Response:
    return gateway.get(PATH, key=key, params=query)


class Cells(HTMLParser):
    """The rows of a page's tables, by caption; numbers as they are written."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[tuple[str, list[list[str]]]] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, _attrs: Any) -> None:
        if tag == "table":
            self.tables.append(("", []))
        if tag == "tr":
            self.tables[-1][1].append([])
        if tag in {"td", "th"}:
            self.tables[-1][1][-1].append("")
        self._open = tag

    def handle_endtag(self, _tag: str) -> None:
        self._open = ""

    def handle_data(self, text: str) -> None:
        if self._open == "caption":
            self.tables[-1] = (text, self.tables[-1][1])
        if self._open in {"td", "th"}:
            self.tables[-1][1][-1][-1] += text


def pdf_texts(content: bytes) -> list[str]:
    """What is written on its pages, cell by cell."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    shown = []
    for stream in streams:
        try:
            text = zlib.decompress(stream)
        except zlib.error:
            continue
        shown += [found.decode("latin-1") for found in re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", text)]
    return [re.sub(r"\\(.)", r"\1", text) for text in shown]


def test_every_form_says_the_same_and_it_is_what_the_ledger_has(gateway: Rig):
    use(gateway)
    made = read(gateway).json()

    (wallet,) = made["wallets"]
    lines = made["lines"]
    balance = gateway.balance
    left = balance.available + balance.held
    assert int(wallet["closing_nanocredits"]) == int(wallet["now_nanocredits"]) == left
    assert int(wallet["unsettled_now_nanocredits"]) == balance.captured
    # The rig's blocks are of 1970: the deposit came before this month.
    assert int(wallet["opening_nanocredits"]) == 100 * 10**9
    assert int(wallet["use_nanocredits"]) == balance.captured == -sum(int(line["change_nanocredits"]) for line in lines)
    assert int(lines[-1]["balance_nanocredits"]) == left
    assert wallet["requests"] == len(lines) == 7
    assert [each["requests"] for each in wallet["by_key"]] == [3, 2, 2]
    assert {each["model"] for each in wallet["by_model"]} == {"test/echo", "test/embed"}
    for part in ("by_key", "by_model", "by_route", "by_provider", "by_day"):
        assert sum(int(each["use_nanocredits"]) for each in wallet[part]) == balance.captured
    by_key = Counter()
    for line in lines:
        by_key[line["key"]] -= int(line["change_nanocredits"])
    assert {each["key"]: int(each["use_nanocredits"]) for each in wallet["by_key"]} == by_key

    rows = list(csv.DictReader(io.StringIO(read(gateway, format="csv").text)))
    assert (rows[0]["kind"], rows[-1]["kind"]) == ("opening", "closing")
    assert rows[-1]["balance_nanocredits"] == wallet["closing_nanocredits"]
    said = [(row["request"], row["change_nanocredits"], row["balance_usd"], row["key"]) for row in rows[1:-1]]
    assert said == [(row["request"], row["change_nanocredits"], row["balance_usd"], row["key"]) for row in lines]

    page = Cells(read(gateway, format="html").text)
    tables = dict(page.tables)
    assert tables["Sum"][-1][1].startswith(f"{wallet['closing_credits']} ({wallet['closing_usd']} USD)")
    shown = [(row[3], row[4]) for row in tables["Every line"][1:]]
    assert shown == [(f"{x['change_credits']} {x['symbol']}", f"{x['balance_credits']} {x['symbol']}") for x in lines]

    cells = pdf_texts(read(gateway, format="pdf").content)
    assert f"{wallet['closing_credits']} ({wallet['closing_usd']} USD)" in cells
    for line in lines:
        assert line["change_credits"] in cells
        assert line["balance_credits"] in cells


def test_a_line_is_its_receipt(plain: Rig):
    use(plain)

    for line in read(plain).json()["lines"]:
        receipt = plain.get(f"/v1/receipts/{line['request']}").json()
        assert receipt["cost_nanocredits"] == str(-int(line["change_nanocredits"]))
        assert datetime.fromisoformat(receipt["captured_at"]) == datetime.fromisoformat(line["at"])
        assert {each["sku"].rpartition(":")[2]: each["quantity"] for each in receipt["usage"]} == line["usage"]


def test_a_sign_in_sees_all_accounts_and_a_key_its_own(plain: Rig):
    plain.fund(7, token=OTHER_TOKEN)
    other = key_text(credits_=5, token=OTHER_TOKEN)
    assert plain.chat(key=other).status_code == 200

    whole = signed_in(plain).call("GET", PATH).json()

    assert [(wallet["symbol"], wallet["requests"]) for wallet in whole["wallets"]] == [
        ("OTHER", 1), ("PROJECTX_AI_CREDITS", 0),
    ]  # fmt: skip
    assert [wallet["symbol"] for wallet in read(plain, other).json()["wallets"]] == ["OTHER"]
    assert [wallet["symbol"] for wallet in read(plain).json()["wallets"]] == ["PROJECTX_AI_CREDITS"]
    assert read(plain).json()["lines"] == []


def test_a_stranger_sees_nothing_of_it(plain: Rig):
    use(plain)
    assert plain.http.get(plain.base_url + PATH).status_code == 401

    stranger = signed_in(plain, private_key(77)).call("GET", PATH).json()

    assert (stranger["wallets"], stranger["lines"]) == ([], [])


def test_last_month_was_empty_and_is_of_another_name(plain: Rig):
    use(plain)
    last = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")

    made = read(plain, month=last).json()

    assert (made["period"]["name"], made["lines"], made["wallets"][0]["requests"]) == (last, [], 0)
    assert made["wallets"][0]["closing_credits"] == "100"
    assert int(made["wallets"][0]["now_nanocredits"]) < 100 * 10**9


def test_the_sums_alone_may_be_asked_for(gateway: Rig):
    use(gateway)

    made = read(gateway, lines="false", time_zone="Asia/Kathmandu").json()

    assert "lines" not in made
    assert made["period"]["start"].endswith("T00:00:00+05:45")
    assert sum(each["requests"] for each in made["wallets"][0]["by_day"]) == 7


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"month": "2026-13"}, "malformed_period"),
        ({"month": "2026-11", "to": "2026-01"}, "malformed_period"),
        ({"time_zone": "Mars/Olympus"}, "unknown_time_zone"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(plain: Rig, query: dict[str, str], code: str):
    refused = read(plain, **query)

    assert (refused.status_code, refused.json()["error"]["code"]) == (422, code)


def test_downloads_are_named_and_kept_by_nobody(plain: Rig):
    answer = read(plain, format="csv", month="2026-11")

    assert answer.headers["content-disposition"] == 'attachment; filename="statement-2026-11.csv"'
    assert answer.headers["cache-control"] == "no-store"
    page = read(plain, format="html")
    assert "script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")


def test_a_pdf_that_would_be_too_long_says_so(plain: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(statement_pdf, "MOST_LINES", 6)
    use(plain)

    cells = pdf_texts(read(plain, format="pdf").content)

    assert any("There are more than 6 lines" in cell for cell in cells)


def test_a_reader_who_is_too_slow_is_not_told_that_it_was_all(plain: Rig, monkeypatch: pytest.MonkeyPatch):
    use(plain)
    monkeypatch.setattr(show_statement, "LONGEST", timedelta(seconds=-1))

    with pytest.raises(httpx2.RemoteProtocolError):
        read(plain, format="csv")
    monkeypatch.undo()
    assert plain.settled(lambda: read(plain, format="csv").status_code == 200)


def test_a_reader_who_goes_away_gives_up_the_turn(plain: Rig, monkeypatch: pytest.MonkeyPatch):
    def without_end(*_: object, **__: object) -> Iterator[bytes]:
        while True:
            yield b"x" * 65_536

    monkeypatch.setattr(statement_module, "json_parts", without_end)
    headers = {"Authorization": f"Bearer {key_text()}"}
    with plain.http.stream("GET", plain.base_url + PATH, headers=headers) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        busy = read(plain, format="csv")
        assert (busy.status_code, busy.json()["error"]["code"]) == (503, "statements_busy")
    assert plain.settled(lambda: read(plain, format="csv").status_code == 200)


def test_turns_are_few_and_one_for_each_holder():
    turns = Turns(2)
    with turns.taken(Address("a")), turns.taken(Address("b")):
        for holder in ("a", "c"):
            with pytest.raises(StatementsBusy), turns.taken(Address(holder)):
                pass
    with turns.taken(Address("a")), turns.taken(Address("c")):
        pass


@settings(max_examples=50)
@given(text=st.text(alphabet="=+-@\t\r'ab1", max_size=6))
def test_no_text_of_a_table_is_a_formula(text: str):
    cell = _word(text)

    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.removeprefix("'") == text or cell == text


@settings(max_examples=30)
@given(parts=st.lists(st.binary(max_size=30)), size=st.integers(1, 40))
def test_chunks_are_the_same_bytes(parts: list[bytes], size: int):
    assert b"".join(in_chunks(parts, size)) == b"".join(parts)


def test_the_command_line_shows_it_and_saves_it_whole(plain: Rig, tmp_path: Path):
    use(plain)
    common = ["--url", plain.base_url + "/v1", "--api-key", key_text()]
    made = read(plain).json()

    told = CliRunner().invoke(app, ["statement", *common])
    assert told.exit_code == 0
    assert f"{made['wallets'][0]['use_credits']} credits" in told.stdout
    told = CliRunner().invoke(app, ["statement", *common, "--json", "--time-zone", "UTC"])
    assert orjson.loads(told.stdout)["wallets"] == made["wallets"]

    for ending in ("csv", "html", "pdf", "json"):
        file = tmp_path / f"november.{ending}"
        assert CliRunner().invoke(app, ["statement", *common, "--out", str(file)]).exit_code == 0
        assert len(file.read_bytes()) > 1_000
    assert orjson.loads(file.read_bytes())["lines"] == made["lines"]
    assert sorted(each.suffix for each in tmp_path.glob("november*")) == [".csv", ".html", ".json", ".pdf"]


def test_half_a_statement_is_no_file(plain: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    use(plain)
    monkeypatch.setattr(show_statement, "LONGEST", timedelta(seconds=-1))
    common = ["--url", plain.base_url + "/v1", "--api-key", key_text()]

    told = CliRunner().invoke(app, ["statement", *common, "--out", str(tmp_path / "november.csv")])

    assert isinstance(told.exception, GatewayUnreachable)
    assert list(tmp_path.glob("november*")) == []
