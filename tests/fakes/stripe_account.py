"""A stand-in for one Stripe account: what its API answers, in the forms it documents, and what a payer does on its pages.

``InProcess`` carries the official library's calls to it without a socket; ``serve`` puts it behind a real one.
"""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

API_KEY = "sk_test_of_nobody"
WEBHOOK_SECRET = "whsec_of_nobody"  # noqa: S105 -- a test's own


@dataclass
class StripeAccount:
    """``silent``: how many calls get no answer, after they took effect if ``answers_lost``, else before."""

    clock: Callable[[], datetime]
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    disputes: dict[str, dict[str, Any]] = field(default_factory=dict)
    silent: int = 0
    answers_lost: bool = False
    slow_refunds: bool = False
    _answers: dict[str, tuple[datetime, int, dict[str, Any]]] = field(default_factory=dict)

    def answer(self, method: str, path: str, form: Mapping[str, str], key: str | None) -> tuple[int, dict[str, Any]]:
        """Status and JSON. An idempotency key's first answer, a refusal too, is given again for a day."""
        if key is not None and key in self._answers:
            at, status, body = self._answers[key]
            if self.clock() < at + timedelta(days=1):
                return status, body
        status, body = self._route(method, path.strip("/").split("/"), form)
        if key is not None:
            self._answers[key] = (self.clock(), status, json.loads(json.dumps(body)))
        return status, body

    def _route(self, method: str, parts: list[str], form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        match method, parts[1:]:
            case "post", ["checkout", "sessions"]:
                return 200, self._open(form)
            case "get", ["checkout", "sessions", name] if name in self.sessions:
                return 200, self._shown(self.sessions[name], expanded=True)
            case "post", ["checkout", "sessions", name, "expire"] if name in self.sessions:
                return self._expire(self.sessions[name])
            case "post", ["refunds"]:
                return self._refund(form)
            case "get", ["refunds" | "disputes" as what]:
                rows = (self.refunds if what == "refunds" else self.disputes).values()
                return 200, {"object": "list", "data": _listed(rows, form), "has_more": False, "url": f"/v1/{what}"}
            case _:
                return 404, _error("resource_missing", f"no such thing: {method} {'/'.join(parts)}")

    def _open(self, form: Mapping[str, str]) -> dict[str, Any]:
        name = f"cs_test_{len(self.sessions) + 1:08d}"
        self.sessions[name] = {
            "id": name,
            "object": "checkout.session",
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
            "client_reference_id": form["client_reference_id"],
            "amount_total": int(form["line_items[0][price_data][unit_amount]"]),
            "currency": form["line_items[0][price_data][currency]"],
            "expires_at": int(form["expires_at"]),
            "metadata": {"order": form["metadata[order]"]},
            "url": f"https://checkout.stripe.test/{name}",
        }
        return self._shown(self.sessions[name], expanded=False)

    def _shown(self, session: dict[str, Any], *, expanded: bool) -> dict[str, Any]:
        if session["status"] == "open" and self.clock().timestamp() >= session["expires_at"] + 60:
            session["status"] = "expired"  # Stripe is not quick about it
        shown = dict(session)
        if shown["status"] != "open":
            shown["url"] = None
        if not expanded and shown["payment_intent"] is not None:
            shown["payment_intent"] = shown["payment_intent"]["id"]
        return shown

    def _expire(self, session: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if session["status"] != "open":
            return 400, _error(
                "invalid_request_error", "Only Checkout Sessions with a status in ['open'] can be expired"
            )
        session["status"] = "expired"
        return 200, self._shown(session, expanded=False)

    def _refund(self, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        intent, amount = form["payment_intent"], int(form["amount"])
        paid = next(
            each["payment_intent"]
            for each in self.sessions.values()
            if each["payment_intent"] is not None and each["payment_intent"]["id"] == intent
        )
        disputed = [each for each in self.disputes.values() if each["payment_intent"] == intent]
        if any(each["status"] in {"needs_response", "under_review"} for each in disputed):
            return 400, _error("charge_disputed", "This charge has been charged back")
        if self.refunded(intent) + self.lost(intent) + amount > paid["amount_received"]:
            return 400, _error("invalid_request_error", "Refund amount is greater than unrefunded amount on charge")
        status = "pending" if self.slow_refunds else "succeeded"
        return 200, dict(self._add_refund(intent, amount, status, {"refund": form["metadata[refund]"]}))

    def _add_refund(self, intent: str, amount: int, status: str, marks: dict[str, str]) -> dict[str, Any]:
        name = f"re_{len(self.refunds) + 1:08d}"
        self.refunds[name] = {
            "id": name,
            "object": "refund",
            "amount": amount,
            "currency": "usd",
            "created": int(self.clock().timestamp()),
            "payment_intent": intent,
            "status": status,
            "metadata": marks,
        }
        return self.refunds[name]

    def lost(self, intent: str) -> int:
        """Cents."""
        return sum(
            each["amount"]
            for each in self.disputes.values()
            if each["payment_intent"] == intent and each["status"] == "lost"
        )

    def refund_by_hand(self, intent: str, cents: int) -> dict[str, Any]:
        """What the operator does in the dashboard."""
        return self._add_refund(intent, cents, "succeeded", {})

    def dispute(self, intent: str, cents: int, status: str = "needs_response") -> dict[str, Any]:
        """What a payer's bank does."""
        name = f"du_{len(self.disputes) + 1:08d}"
        self.disputes[name] = {
            "id": name,
            "object": "dispute",
            "amount": cents,
            "currency": "usd",
            "charge": f"ch_{intent.removeprefix('pi_')}",
            "created": int(self.clock().timestamp()),
            "payment_intent": intent,
            "reason": "fraudulent",
            "status": status,
        }
        return self.disputes[name]

    def refunded(self, intent: str) -> int:
        """Cents."""
        return sum(each["amount"] for each in self.refunds.values() if each["payment_intent"] == intent)

    def pay(self, name: str, at: datetime, *, cents: int | None = None, currency: str = "usd") -> bool:
        """What a payer does on the page; False where it is closed."""
        session = self.sessions[name]
        if session["status"] != "open":
            return False
        received = session["amount_total"] if cents is None else cents
        session["status"], session["payment_status"] = "complete", "paid"
        session["payment_intent"] = {
            "id": f"pi_{name}",
            "object": "payment_intent",
            "amount_received": received,
            "currency": currency,
            "latest_charge": {"id": f"ch_{name}", "object": "charge", "created": int(at.timestamp())},
        }
        return True


def _listed(rows: Iterable[dict[str, Any]], form: Mapping[str, str]) -> list[dict[str, Any]]:
    since = int(form.get("created[gte]", "0"))
    return [
        dict(each)
        for each in rows
        if each["payment_intent"] == form.get("payment_intent", each["payment_intent"]) and each["created"] >= since
    ]


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "code": code, "message": message}}


def webhook(kind: str, session: Mapping[str, Any], at: float, secret: str = WEBHOOK_SECRET) -> tuple[bytes, str]:
    """Payload and ``Stripe-Signature``, as Stripe signs its deliveries."""
    event = {"id": "evt_1", "object": "event", "type": kind, "created": int(at), "data": {"object": dict(session)}}
    payload = json.dumps(event).encode()
    signed = hmac.new(secret.encode(), f"{int(at)}.".encode() + payload, hashlib.sha256).hexdigest()
    return payload, f"t={int(at)},v1={signed}"


class InProcess(stripe.HTTPClient):
    """The library's calls, answered here."""

    name = "in_process"

    def __init__(self, account: StripeAccount) -> None:
        super().__init__()
        self._account = account

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[str, int, Mapping[str, str]]:
        split = urlsplit(url)
        form = dict(parse_qsl(split.query or post_data or ""))
        account = self._account
        lost = account.silent > 0
        account.silent = max(0, account.silent - 1)
        if lost and not account.answers_lost:
            raise stripe.APIConnectionError("no answer", should_retry=False)
        status, body = account.answer(method.lower(), split.path, form, (headers or {}).get("Idempotency-Key"))
        if lost:
            raise stripe.APIConnectionError("the answer was lost", should_retry=False)
        return json.dumps(body), status, {}

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def serve(account: StripeAccount) -> Iterator[str]:
    """The account's API on a port of this machine; where."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            split = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            form = dict(parse_qsl(split.query or self.rfile.read(length).decode()))
            key = self.headers.get("Idempotency-Key")
            if self.headers.get("Authorization") != f"Bearer {API_KEY}":
                status, body = 401, _error("api_key", "Invalid API Key provided")
            else:
                status, body = account.answer(self.command.lower(), split.path, form, key)
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _answer  # noqa: N815 -- the server's own names

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
