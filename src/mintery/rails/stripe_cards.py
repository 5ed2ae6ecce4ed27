"""Stripe Checkout as a card rail, through Stripe's own library.

A webhook is never evidence: whoever verified one asks the API what became of the session, or of the payment. So it does not
matter whether it came twice, late, out of order or not at all, and a stolen webhook secret creates no credits.

Forms: https://docs.stripe.com/api/checkout/sessions, /api/refunds, /api/disputes, /api/idempotent_requests, /webhooks/signature.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import stripe

from mintery.domain.dispute import Dispute, DisputeOutcome, OutsideRefund
from mintery.domain.order import Order, Payment, Refund
from mintery.errors import RailNonsense, RailRefused, RailUnavailable, WebhookForged
from mintery.rails.cards import CardRail, Checkout, Claims
from mintery.units import AssetUnits, Cents, assets_of_cents, cents

if TYPE_CHECKING:
    from stripe.params import DisputeListParams, RefundListParams

RAIL = "stripe"
CURRENCY = "usd"
TIMEOUT_SECONDS = 20
RETRIES = 2
WEBHOOK_SECONDS = 300
"""How old a webhook's signature may be: Stripe signs each delivery anew."""
_EXPANDED = ["payment_intent.latest_charge"]
_SILENT = (stripe.APIConnectionError, stripe.RateLimitError)
_UNSOUND = (KeyError, TypeError, ValueError, AttributeError)

_OUTCOMES = {
    "won": DisputeOutcome.WON,
    # An inquiry that became no dispute, and one that was settled before it became any: what was paid back is a refund.
    "warning_closed": DisputeOutcome.WON,
    "prevented": DisputeOutcome.WON,
    "lost": DisputeOutcome.LOST,
}
_OF_PAYMENTS = ("charge.dispute.", "charge.refund", "refund.")
"""Webhooks that are about a payment: what they show names it."""

T = TypeVar("T")


class StripeCards(CardRail):
    """One Stripe account.

    Args:
        api_key: secret key of the account.
        webhook_secret: what its webhooks are signed with.
        return_url: where a payer comes back to; ``{order}`` stands for the order's id.
        product: what the payer's statement and page call it.
        api_url: another address of the API than Stripe's own.
        http_client: what carries the calls.
    """

    def __init__(
        self,
        api_key: str,
        webhook_secret: str,
        *,
        return_url: str,
        product: str,
        api_url: str | None = None,
        http_client: stripe.HTTPClient | None = None,
    ) -> None:
        stripe.enable_telemetry = False
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_url} if api_url else None,
            http_client=http_client or stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
            max_network_retries=RETRIES,
        )
        self._webhook_secret = webhook_secret
        self._return_url = return_url
        self._product = product

    def open(self, order: Order) -> Checkout:
        back = self._return_url.replace("{order}", order.id)
        price = {"currency": CURRENCY, "unit_amount": cents(order.assets), "product_data": {"name": self._product}}
        params: Any = {
            "mode": "payment",
            "payment_method_types": ["card"],
            "line_items": [{"price_data": price, "quantity": 1}],
            "client_reference_id": order.id,
            "metadata": {"order": order.id},
            "payment_intent_data": {"metadata": {"order": order.id}},
            "expires_at": int(order.expires_at.timestamp()),
            "success_url": back,
            "cancel_url": back,
        }
        return self._ask(
            lambda: self._client.v1.checkout.sessions.create(params, {"idempotency_key": f"open/{order.id}"})
        )

    def read(self, reference: str) -> Checkout:
        return self._ask(lambda: self._client.v1.checkout.sessions.retrieve(reference, {"expand": _EXPANDED}))

    def close(self, reference: str) -> Checkout:
        try:
            return self._ask(lambda: self._client.v1.checkout.sessions.expire(reference))
        except RailRefused:
            # It is closed already, or was paid meanwhile: what it says then is what counts.
            return self.read(reference)

    def refund(self, refund: Refund) -> str | None:
        """Stripe forgets idempotency keys after a day; its own list of a payment's refunds never forgets. One that failed is for a
        person to look at, and never asked for again.
        """
        with _told():
            known = self._known(refund)
            if known is None:
                params: Any = {
                    "payment_intent": refund.payment,
                    "amount": cents(refund.assets),
                    "metadata": {"refund": refund.id},
                }
                known = self._client.v1.refunds.create(params, {"idempotency_key": f"refund/{refund.id}"})
            name, status, amount = str(known.id), known.status, known.amount
        if amount != cents(refund.assets):
            raise RailNonsense(RAIL, f"refund {name} is of {amount} cents; {cents(refund.assets)} were asked for")
        if status in {"failed", "canceled"}:
            raise RailRefused(RAIL, f"refund {name} {status}")
        return name if status == "succeeded" else None

    def _known(self, refund: Refund) -> Any | None:
        params: RefundListParams = {"payment_intent": refund.payment, "limit": 100}
        listed = self._client.v1.refunds.list(params)
        for known in listed.auto_paging_iter():
            if _marks(known).get("refund") == refund.id:
                return known
        return None

    def claims_on(self, payment: str) -> Claims:
        return self._claims({"payment_intent": payment, "limit": 100}, {"payment_intent": payment, "limit": 100})

    def claims_since(self, disputes: datetime, refunds: datetime) -> Claims:
        return self._claims(
            {"created": {"gte": int(disputes.timestamp())}, "limit": 100},
            {"created": {"gte": int(refunds.timestamp())}, "limit": 100},
        )

    def _claims(self, disputes: "DisputeListParams", refunds: "RefundListParams") -> Claims:
        """Of refunds those that were made by hand: ours carry their own name."""
        with _told():
            asked: Iterable[Any] = self._client.v1.disputes.list(disputes).auto_paging_iter()
            opened = [each for each in asked if each.payment_intent]
            asked = self._client.v1.refunds.list(refunds).auto_paging_iter()
            given = [each for each in asked if _is_by_hand(each)]
            unclear = [str(each.payment_intent) for each in (*opened, *given) if not _in_dollars(each)]
            return Claims(
                [_dispute_of(each) for each in opened if _in_dollars(each)],
                [_outside_of(each) for each in given if _in_dollars(each)],
                unclear,
            )

    def subject_of(self, payload: bytes, signature: str) -> str | None:
        try:
            event = stripe.Webhook.construct_event(payload, signature, self._webhook_secret, WEBHOOK_SECONDS)
        except stripe.SignatureVerificationError as error:
            raise WebhookForged(str(error.user_message or "its signature does not fit")) from None
        except _UNSOUND:
            raise WebhookForged("it is no event") from None
        with _told():
            about = event.data.object
            if event.type.startswith(_OF_PAYMENTS):
                payment = about.to_dict().get("payment_intent")
                return payment if isinstance(payment, str) else None
            return str(about["id"]) if event.type.startswith("checkout.session.") else None

    def _ask(self, call: Callable[[], Any]) -> Checkout:
        with _told():
            session = call()
            intent = session.payment_intent
            paid = session.payment_status == "paid"
            if paid and isinstance(intent, str):
                session = self._client.v1.checkout.sessions.retrieve(session.id, {"expand": _EXPANDED})
                intent = session.payment_intent
            return Checkout(
                reference=str(session.id),
                page=session.url,
                open=session.status == "open",
                payment=_payment_of(session.id, intent) if paid else None,
            )


def _payment_of(session: str, intent: Any) -> Payment:
    """Raises RailNonsense: it was paid in another currency, or nothing came."""
    charge, received = intent.latest_charge, intent.amount_received
    if intent.currency != CURRENCY or not received:
        raise RailNonsense(RAIL, f"session {session} was paid with {received} {intent.currency}")
    at = datetime.fromtimestamp(charge.created, UTC)
    return Payment(str(intent.id), AssetUnits(assets_of_cents(Cents(received))), at)


def _marks(refund: Any) -> dict[str, Any]:
    return refund.metadata.to_dict() if refund.metadata else {}


def _dispute_of(told: Any) -> Dispute:
    at, outcome = datetime.fromtimestamp(told.created, UTC), _OUTCOMES.get(str(told.status))
    return Dispute(
        str(told.id), str(told.payment_intent), assets_of_cents(Cents(told.amount)), str(told.reason), at, outcome
    )


def _outside_of(told: Any) -> OutsideRefund:
    at = datetime.fromtimestamp(told.created, UTC)
    return OutsideRefund(str(told.id), str(told.payment_intent), assets_of_cents(Cents(told.amount)), at)


def _is_by_hand(refund: Any) -> bool:
    """It was made, and not from here."""
    return bool(refund.payment_intent and refund.status == "succeeded" and "refund" not in _marks(refund))


def _in_dollars(told: Any) -> bool:
    return bool(told.currency == CURRENCY and told.amount > 0)


@contextmanager
def _told() -> Iterator[None]:
    """Stripe's errors as ours."""
    try:
        yield
    except _SILENT as error:
        raise RailUnavailable(RAIL, type(error).__name__) from error
    except stripe.APIError as error:
        raise RailUnavailable(RAIL, f"its API failed ({error.http_status})") from error
    except stripe.StripeError as error:
        raise RailRefused(RAIL, str(error.user_message or type(error).__name__)) from error
    except _UNSOUND as error:
        raise RailNonsense(RAIL, f"its answer is not of its form ({type(error).__name__})") from error
