"""Why a request failed: from its row, its calls to providers, its receipt, or the refusal that it met."""

from typing import Any

from mintery.domain.attempt import REFUSED_KEY, AttemptOutcome, Refusal
from mintery.domain.diagnosis import ADVICE, Cause, Diagnosis, diagnose_calls
from mintery.domain.hold import HoldStatus, ReleaseReason, RequestId
from mintery.errors import LongJobUnreadable, UnknownRequest
from mintery.ledger.reads import RequestRecord
from mintery.usecases.diagnose_long_job import diagnose_long_job
from mintery.usecases.parts import GatewayParts
from mintery.usecases.read_receipt import attempt_json
from mintery.usecases.verify_credential import Credential

_REFUSED = "refused"
_UNREADABLE = "What the gateway keeps of this job cannot be read, so it is not followed; unless it was charged before, it costs nothing."


def diagnose_refusal(refusal: Refusal) -> dict[str, Any]:
    """As JSON values."""
    evidence = {"code": refusal.code, "asked": refusal.asked, **refusal.evidence}
    cause = Cause(evidence.pop("cause"))
    evidence.pop(REFUSED_KEY, None)
    found = Diagnosis(cause, refusal.message, evidence)
    return _json(refusal.request, found, _REFUSED) | {"at": refusal.at.isoformat()}


def diagnose_request(parts: GatewayParts, request: RequestId, reader: Credential | None) -> dict[str, Any]:
    """As JSON values. ``reader`` None is the operator.

    Raises:
        UnknownRequest: there is none, or it is another account's or key's, which is told the same.
    """
    record = parts.ledger.request(request)
    if record is None or (reader is not None and not reader.may_read(record.hold.account, record.quoted.key)):
        raise UnknownRequest(request)
    calls = parts.ledger.attempts(request)
    status = record.hold.status_at(parts.clock())
    try:
        job = parts.ledger.long_job(request)
    except LongJobUnreadable as unreadable:
        found = Diagnosis(Cause.ROUTING, _UNREADABLE, {"why": unreadable.why})
    else:
        if job is not None:
            found = diagnose_long_job(job, calls, parts.clock())
        else:
            found = diagnose_calls(calls) if _providers_failed(record) else _of_status(parts, record, status)
    told = _json(request, found, status.value) | {"at": record.hold.placed_at.isoformat()}
    return told | {"attempts": [attempt_json(call) for call in calls]}


def _providers_failed(record: RequestRecord) -> bool:
    return record.hold.released_for is ReleaseReason.PROVIDER_FAILED


def _of_status(parts: GatewayParts, record: RequestRecord, status: HoldStatus) -> Diagnosis:
    evidence: dict[str, Any] = {"model": record.quoted.model, "held_nanocredits": str(record.hold.amount)}
    match status:
        case HoldStatus.CAPTURED:
            return _of_captured(parts, record, evidence)
        case HoldStatus.RELEASED:
            evidence["released_for"] = None if record.hold.released_for is None else record.hold.released_for.value
            return Diagnosis(Cause.ROUTING, "The gateway lost it before its end was known; it cost nothing.", evidence)
        case HoldStatus.UNRESOLVED:
            evidence["lease_until"] = record.hold.lease_until.isoformat()
            sentence = "The process that answered it is gone; without evidence of its end it will cost nothing."
            return Diagnosis(Cause.ROUTING, sentence, evidence)
        case _:
            return Diagnosis(None, "It is under way.", evidence)


def _of_captured(parts: GatewayParts, record: RequestRecord, evidence: dict[str, Any]) -> Diagnosis:
    receipt = parts.ledger.receipt(record.id)
    calls = parts.ledger.attempts(record.id)
    if receipt is not None:
        charged = receipt.receipt
        evidence |= {
            "route": charged.model,
            "backup": charged.backup,
            "cost_nanocredits": str(charged.cost),
            "usage_source": charged.source.value,
        }
        if calls and calls[-1].outcome is AttemptOutcome.BROKE:
            sentence = f"The stream of {calls[-1].provider} broke; what had come was charged."
            return Diagnosis(Cause.PROVIDER, sentence, evidence)
        if calls and calls[-1].outcome is AttemptOutcome.TOO_LONG:
            sentence = f"{calls[-1].provider} answered at more length than this gateway carries; its work was charged."
            return Diagnosis(Cause.MODEL, sentence, evidence)
    others = f", after {len(calls) - 1} other calls had failed" if len(calls) > 1 else ""
    return Diagnosis(None, f"It did not fail: it was answered and charged{others}.", evidence)


def _json(request: RequestId, found: Diagnosis, status: str) -> dict[str, Any]:
    return {
        "object": "diagnosis",
        "request": request,
        "status": status,
        "cause": None if found.cause is None else found.cause.value,
        "sentence": found.sentence,
        "advice": None if found.cause is None else ADVICE[found.cause],
        "evidence": dict(found.evidence),
        "attempts": [],
    }
