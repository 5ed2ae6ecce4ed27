"""What a key has, used and paid, in the forms of OpenRouter's ``/credits``, ``/key`` and ``/generation``, for what reads those.

Amounts are dollars at par, as JSON numbers of exactly the digits they have. Days, weeks (from Monday) and months are UTC's,
as they are there. Source: openrouter.ai/docs/api-reference.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from mintery.domain.attempt import RouteAttempt
from mintery.domain.hold import RequestId
from mintery.domain.limits import LimitPeriod, span_at
from mintery.domain.market import Market
from mintery.domain.model import Unit, input_tokens
from mintery.domain.receipt import Receipt
from mintery.errors import UnknownReceipt
from mintery.ledger.reads import AccountBalance, RequestRecord
from mintery.units import NanoCredits, Par, format_usd, usd_of_nanocredits_down
from mintery.usecases.parts import GatewayParts
from mintery.usecases.verify_credential import Credential

_RESETS = {LimitPeriod.DAY: "daily", LimitPeriod.WEEK: "weekly", LimitPeriod.MONTH: "monthly"}
_MILLISECOND = timedelta(milliseconds=1)
_OUTPUT = (Unit.OUTPUT_TOKEN, Unit.REASONING_TOKEN, Unit.IMAGE_OUTPUT_TOKEN, Unit.AUDIO_OUTPUT_TOKEN)
_CACHED = (Unit.CACHED_INPUT_TOKEN, Unit.CACHED_IMAGE_TOKEN, Unit.CACHED_AUDIO_TOKEN)


def credits_form(parts: GatewayParts, market: Market, credential: Credential) -> dict[str, Any]:
    """``total_credits`` less ``total_usage`` is what the account has left. Both count from when it was last closed."""
    account = parts.ledger.account(credential.account)
    par = market.projects[credential.signed.voucher.token].par
    spent = NanoCredits(0) if account is None else account.spent
    return {
        "total_credits": _dollars(NanoCredits(spent + _left(account)), par),
        "total_usage": _dollars(spent, par),
    }


def key_form(parts: GatewayParts, market: Market, credential: Credential) -> dict[str, Any]:
    """A gateway key's own limit and use. A voucher's are the account's: all its vouchers count on one counter."""
    voucher = credential.admits.voucher
    par = market.projects[voucher.token].par
    limit = _limit_of_key(parts, credential) or _limit_of_voucher(parts, credential)
    until = datetime.fromtimestamp(voucher.deadline - parts.exit_delay, UTC)
    key = credential.key
    if key is not None and key.expires_at is not None:
        until = min(until, key.expires_at)
    return {
        "label": f"mv1...{voucher.key_hash.hex()[-4:]}" if key is None else key.label,
        "limit": _dollars(limit.ceiling, par),
        "limit_remaining": _dollars(limit.remaining, par),
        "limit_reset": limit.reset,
        "include_byok_in_limit": False,
        **_used(parts, credential, par),
        **dict.fromkeys(("byok_usage", "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly"), 0),
        "is_free_tier": False,
        "is_management_key": False,
        "is_provisioning_key": False,
        "creator_user_id": voucher.holder,
        "expires_at": until.isoformat(),
    }


class _Limit(NamedTuple):
    """``reset``: ``daily``, ``weekly``, ``monthly``, or None for never."""

    ceiling: NanoCredits
    remaining: NanoCredits
    reset: str | None


def _limit_of_key(parts: GatewayParts, credential: Credential) -> _Limit | None:
    """Of a gateway key's own limits, whatever it is used for, the one that leaves least."""
    now, found = parts.clock(), []
    for limit in credential.limits:
        if limit.key is None or limit.model is not None or limit.way is not None:
            continue
        used = parts.ledger.used(limit.counter(span_at(limit.period, credential.zone, now)))
        found.append(_Limit(limit.ceiling, NanoCredits(max(0, limit.ceiling - used)), _RESETS[limit.period]))
    return min(found, key=lambda each: each.remaining, default=None)


def _limit_of_voucher(parts: GatewayParts, credential: Credential) -> _Limit:
    voucher = credential.admits.voucher
    account = parts.ledger.account(credential.account)
    if account is None:
        return _Limit(voucher.max_nanocredits, voucher.max_nanocredits, None)
    room = max(0, voucher.max_nanocredits - account.spent - account.held)
    return _Limit(voucher.max_nanocredits, NanoCredits(room if account.epoch == voucher.epoch else 0), None)


def generation_form(parts: GatewayParts, request: RequestId, reader: Credential | None) -> dict[str, Any]:
    """One request that was charged. ``reader`` None is the operator; a gateway key reads its own requests alone.

    Raises:
        UnknownReceipt: there is none, or it is another's.
    """
    found, record = parts.ledger.receipt(request), parts.ledger.request(request)
    if found is None or record is None:
        raise UnknownReceipt(request)
    if reader is not None and not reader.may_read(record.hold.account, record.quoted.key):
        raise UnknownReceipt(request)
    receipt = found.receipt
    used = _quantities(receipt)
    paid = _dollars(receipt.cost, receipt.par)
    return {
        "id": receipt.id,
        "created_at": record.hold.placed_at.isoformat(),
        "model": receipt.model,
        "provider_name": receipt.provider,
        "upstream_id": None,
        "router": receipt.asked,
        "api_type": None,
        "app_id": None,
        "external_user": None,
        "origin": "",
        "streamed": receipt.stream,
        "cancelled": False,
        "is_byok": receipt.own_key,
        "total_cost": paid,
        "usage": paid,
        "upstream_inference_cost": orjson.Fragment(format_usd(receipt.usd)),
        "cache_discount": None,
        "latency": None,
        "generation_time": _milliseconds(record, receipt),
        "moderation_latency": None,
        "finish_reason": None,
        "native_finish_reason": None,
        **_tokens(used),
        "provider_responses": [_response(each) for each in _calls(parts, receipt)],
    }


def _left(account: AccountBalance | None) -> int:
    """What an account can still be charged: all that the chain has of it less what is charged already."""
    return 0 if account is None else account.available + account.held


def _used(parts: GatewayParts, credential: Credential, par: Par) -> dict[str, Any]:
    now = parts.clock().astimezone(UTC)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = {
        "usage_daily": day,
        "usage_weekly": day - timedelta(days=day.weekday()),
        "usage_monthly": day.replace(day=1),
    }
    if credential.key is not None:
        begins["usage"] = credential.key.created_at
    with parts.ledger.reading() as reading:
        used = {
            name: reading.charged(credential.account, start, key=credential.key_id)[0] for name, start in begins.items()
        }
    if credential.key is None:
        account = parts.ledger.account(credential.account)
        used["usage"] = NanoCredits(0) if account is None else account.spent
    return {name: _dollars(amount, par) for name, amount in used.items()}


def _calls(parts: GatewayParts, receipt: Receipt) -> Sequence[RouteAttempt]:
    return parts.ledger.attempts(receipt.id)


def _response(attempt: RouteAttempt) -> dict[str, Any]:
    return {
        "provider_name": attempt.provider,
        "status": attempt.status,
        "latency": (attempt.ended_at - attempt.began_at) // _MILLISECOND,
    }


def _quantities(receipt: Receipt) -> dict[str, int]:
    """By unit, whatever tier or window it was sold in."""
    used: dict[str, int] = {}
    for line in receipt.lines:
        unit = line.sku.unit.partition(".")[0]
        used[unit] = used.get(unit, 0) + line.quantity
    return used


def _tokens(used: dict[str, int]) -> dict[str, int]:
    prompt = input_tokens(used)
    completion = sum(used.get(unit, 0) for unit in _OUTPUT)
    return {
        "tokens_prompt": prompt,
        "tokens_completion": completion,
        "native_tokens_prompt": prompt,
        "native_tokens_completion": completion,
        "native_tokens_reasoning": used.get(Unit.REASONING_TOKEN, 0),
        "native_tokens_cached": sum(used.get(unit, 0) for unit in _CACHED),
        "native_tokens_completion_images": used.get(Unit.IMAGE_OUTPUT_TOKEN, 0),
        "num_media_completion": used.get(Unit.IMAGE, 0),
    }


def _milliseconds(record: RequestRecord, receipt: Receipt) -> int:
    """From when it was sent on to when it was charged."""
    return (receipt.captured_at - (record.hold.dispatched_at or record.hold.placed_at)) // _MILLISECOND


def _dollars(amount: NanoCredits, par: Par) -> orjson.Fragment:
    return orjson.Fragment(format_usd(usd_of_nanocredits_down(amount, par)))
