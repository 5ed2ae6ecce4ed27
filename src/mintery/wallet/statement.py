"""``/v1/wallet/statement``: a holder's months, as JSON, CSV, HTML or PDF, written as they are read."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import anyio
import orjson
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from mintery.domain.period import Period, month_of, months, zone_of
from mintery.domain.voucher import Address
from mintery.errors import CredentialRefused, MalformedPeriod, NotSignedIn, StatementsBusy, UnknownTimeZone
from mintery.gateway.entry import till_of
from mintery.gateway.errors import ErrorTable, Problems, Shown
from mintery.usecases.show_statement import StatementOf, open_statement
from mintery.usecases.statement_facts import statement_facts
from mintery.wallet import statement_html
from mintery.wallet.callers import Caller, WholeAccountDep
from mintery.wallet.statement_html import html_parts
from mintery.wallet.statement_pdf import pdf_parts
from mintery.wallet.statement_text import csv_parts, in_chunks, json_parts

ERRORS: ErrorTable = {
    MalformedPeriod: Shown(422, "invalid_request_error", attributes=("period",)),
    UnknownTimeZone: Shown(422, "invalid_request_error", attributes=("zone",)),
    StatementsBusy: Shown(503, "service_unavailable", retry=True, attributes=("limit",)),
}
AT_ONCE = 4
"""In one process: each keeps a connection to the database as long as its reader takes."""


class Form(StrEnum):
    JSON = "json"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"


_TYPES = {
    Form.JSON: "application/json",
    Form.CSV: "text/csv; charset=utf-8",
    Form.HTML: "text/html; charset=utf-8",
    Form.PDF: "application/pdf",
}
Month = Annotated[str | None, Query(max_length=7, description="`2026-11`; this month where none is named.")]
LastMonth = Annotated[str | None, Query(alias="to", max_length=7, description="The last month, for more than one.")]
ZoneName = Annotated[
    str | None,
    Query(
        max_length=64,
        description="Whose calendar: an IANA time zone like `Europe/Berlin`. the holder's own, or UTC, where none is named.",
    ),
]


def statement_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["wallet: statement"])
    turns = Turns(AT_ONCE)

    @router.get(
        "/v1/wallet/statement",
        response_class=Response,
        responses=problems.responses(NotSignedIn, CredentialRefused, MalformedPeriod, UnknownTimeZone, StatementsBusy)
        | {200: {"content": {kind.partition(";")[0]: {} for kind in _TYPES.values()}}},
    )
    def get_statement(
        request: Request,
        caller: WholeAccountDep,
        *,
        month: Month = None,
        last: LastMonth = None,
        time_zone: ZoneName = None,
        form: Annotated[Form, Query(alias="format")] = Form.JSON,
        lines: Annotated[bool, Query(description="Of JSON: whether every line is listed.")] = True,
    ) -> Response:
        """What each wallet had at the start, got, used, was paid back, and has at the end, with every line.

        opening + top_ups - use + waived - paid_back = closing, to the nanocredit. A sign-in sees all of the holder's accounts, a
        voucher's key its own; a gateway key, which one app has, sees none.
        """
        parts, zone = till_of(request).parts, zone_for(request, caller, time_zone)
        period = months(month or month_of(parts.clock(), zone), last, zone)
        market, _ = parts.reading()
        asked = StatementOf(caller.holder, caller.accounts, period, labels_of(request, caller))
        if form is Form.JSON and not lines:
            with open_statement(parts, market, asked) as (statement, _entries):
                return Response(orjson.dumps(statement_facts(statement)), 200, _headers(form, period), _TYPES[form])
        with ExitStack() as opening:
            opening.enter_context(turns.taken(caller.holder))
            statement, entries = opening.enter_context(open_statement(parts, market, asked))
            match form:
                case Form.JSON:
                    written = json_parts(statement, entries)
                case Form.CSV:
                    written = csv_parts(statement, entries)
                case Form.HTML:
                    written = html_parts(statement, entries)
                case Form.PDF:
                    written = pdf_parts(statement, entries)
            return Written(in_chunks(written), opening.pop_all().close, _headers(form, period), _TYPES[form])

    return router


def zone_for(request: Request, caller: Caller, name: str | None) -> ZoneInfo:
    """The one that is named, else the holder's own, else UTC. Raises UnknownTimeZone."""
    return zone_of(name or till_of(request).parts.ledger.time_zone(caller.holder) or "UTC")


def labels_of(request: Request, caller: Caller) -> dict[str, str]:
    """What the holder calls the keys."""
    return {each.key.id: each.key.label for each in till_of(request).parts.ledger.keys(caller.holder)}


def _headers(form: Form, period: Period) -> dict[str, str]:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if form is Form.HTML:
        headers["Content-Security-Policy"] = statement_html.POLICY
    if form in {Form.CSV, Form.PDF}:
        name = period.name.replace(" ", "-")
        headers["Content-Disposition"] = f'attachment; filename="statement-{name}.{form.value}"'
    return headers


class Turns:
    """So many at once, and one for each holder.

    Raises:
        StatementsBusy
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._holders: set[Address] = set()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, holder: Address) -> Iterator[None]:
        with self._lock:
            if holder in self._holders:
                raise StatementsBusy(1)
            if len(self._holders) >= self._limit:
                raise StatementsBusy(self._limit)
            self._holders.add(holder)
        try:
            yield
        finally:
            with self._lock:
                self._holders.discard(holder)


class Written(StreamingResponse):
    """Bytes as they are made. ``close`` is called before the end of them is sent, so that the reader's next request finds all as
    before, and also when the reader went away.
    """

    def __init__(
        self, parts: Iterator[bytes], close: Callable[[], None], headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(_then(parts, close), headers=headers, media_type=media_type)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._close)


def _then(parts: Iterator[bytes], close: Callable[[], None]) -> Iterator[bytes]:
    yield from parts
    close()
