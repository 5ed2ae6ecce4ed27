"""What OpenAPI shows: bodies and answers as they look. Those of paid requests are in ``paid_examples``."""

from typing import Any

from mintery.gateway import schemas

Documented = dict[int | str, dict[str, Any]]

SECURITY = {
    "voucher": {"type": "http", "scheme": "bearer", "description": "A voucher with its secret as the API key: mv1.…"},
    "operator": {"type": "http", "scheme": "bearer", "description": "The operator's key."},
}

_HEADERS = {
    "Mintery-Voucher": "A raised voucher (mr1.…) that admits this one request, beside an mv1 key of the same account.",
    "Mintery-Provider-Key": (
        "Your own key of the model's provider, where the model takes one (own_key): it is sent there with this request and kept "
        "nowhere; only the gateway's fee is charged."
    ),
    "Idempotency-Key": "The same key with the same body is answered once and charged once.",
}


def request(
    description: str, schema: dict[str, Any], examples: dict[str, Any], content_type: str = "application/json"
) -> dict[str, Any]:
    return {
        "parameters": [
            {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": text}
            for name, text in _HEADERS.items()
        ],
        "security": [{"voucher": []}],
        "requestBody": {
            "required": True,
            "description": description,
            "content": {
                content_type: {
                    "schema": schema,
                    "examples": {name: {"value": value} for name, value in examples.items()},
                }
            },
        },
    }


def answer(description: str, example: Any) -> Documented:
    return {200: {"description": description, "content": {"application/json": {"example": example}}}}


CHAT_BODY = {"model": "test/echo", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 64}

QUOTE_REQUEST = request("The body of the request to be priced.", schemas.PRICED, {"chat": CHAT_BODY})
_WALLET = {
    "account": "0x…",
    "token": "0x…",
    "symbol": "PROJECTX_AI_CREDITS",
    "kind": "routed",
    "gateway": "0x…",
    "holder": "0x…",
    "signer": "0x…",
}
QUOTE_ANSWER = answer(
    "The most it can cost.",
    {
        "object": "quote",
        "model": "test/echo",
        "test": True,
        "max_cost_nanocredits": "451000",
        "max_cost_credits": "0.000451",
        "max_cost_usd": "0.000451",
        "price_state": "normal",
        "expires_at": 1_800_000_060,
        "affordable": True,
        "spendable_nanocredits": "5000000000",
        "wallet": _WALLET,
        "lines": [
            {
                "sku": "test/echo:input_token",
                "price_version": 1,
                "unit_price_usd_wad": "1000000000000",
                "max_quantity": 387,
            }
        ],
    },
)
CREDITS_ANSWER = answer(
    "Amounts in nanocredits (1e-9 credit), as text.",
    {
        "object": "credits",
        "wallet": _WALLET,
        "epoch": 0,
        "spendable_nanocredits": "5000000000",
        "spendable_credits": "5",
        "available_nanocredits": "5000000000",
        "exiting_nanocredits": "0",
        "held_nanocredits": "0",
        "captured_nanocredits": "0",
        "voucher": {
            "epoch": 0,
            "max_nanocredits": "10000000000",
            "spent_nanocredits": "0",
            "room_nanocredits": "10000000000",
            "deadline": 1_800_086_400,
            "usable_until": 1_800_082_800,
        },
        "data": {"total_credits": 5, "total_usage": 0},
        "as_of": {"block": 1_234_567, "age_seconds": 1},
    },
)
KEY_ANSWER = answer(
    "Dollars at par.",
    {
        "data": {
            "label": "mv1...90ab",
            "limit": 10,
            "limit_remaining": 9.75,
            "limit_reset": None,
            "usage": 0.25,
            "usage_daily": 0.05,
            "usage_weekly": 0.25,
            "usage_monthly": 0.25,
            "expires_at": "2027-01-15T07:00:00+00:00",
        }
    },
)
GENERATION_ANSWER = answer(
    "Dollars at par.",
    {
        "data": {
            "id": "req_0123456789abcdef0123456789abcdef",
            "model": "test/echo",
            "provider_name": "test",
            "created_at": "2026-11-21T12:00:00+00:00",
            "total_cost": 0.000104,
            "usage": 0.000104,
            "native_tokens_prompt": 8,
            "native_tokens_completion": 32,
            "streamed": False,
            "generation_time": 812,
        }
    },
)
ROUTE_ANSWER = answer(
    "What answers, what stands in for it, and why each other route does not.",
    {
        "object": "route.explanation",
        "asked": "cheapest",
        "rule": "the route that is cheapest for a request of this length; of equals the one with the higher quality",
        "chosen": {"route": "test/echo", "role": "chosen", "quality": 500, "max_cost_nanocredits": "391000"},
        "runners_up": [],
        "rejected": [{"route": "test/off", "code": "resale_forbidden", "reason": "…"}],
        "hold_nanocredits": "391000",
        "hold_credits": "0.000391",
    },
)
WHY_ANSWER = answer(
    "`cause` is null for a request that did not fail.",
    {
        "object": "diagnosis",
        "request": "req_0123456789abcdef0123456789abcdef",
        "status": "released",
        "cause": "provider",
        "sentence": "test answered 503; nothing else could stand in.",
        "advice": "send it again later, or by a name that several routes share, so that another stands in",
        "evidence": {"route": "test/echo", "provider": "test", "outcome": "refused", "status": 503},
        "attempts": [],
        "at": "2026-01-01T00:00:00+00:00",
    },
)
RECEIPT_ANSWER = answer(
    "Every field is covered by the signature but `settlement` and `attempts`.",
    {
        "format": "mintery-receipt-1",
        "id": "req_0123456789abcdef0123456789abcdef",
        "model": "test/echo",
        "cost_nanocredits": "8000",
        "settlement": {"batch_id": None, "tx_hash": None, "written_off": None},
        "attempts": [],
        "signature": "0x…",
    },
)
MODEL_LIST = answer(
    "OpenAI's list; prices are under `mintery`.",
    {
        "object": "list",
        "data": [
            {
                "id": "test/echo",
                "object": "model",
                "created": 0,
                "owned_by": "test",
                "mintery": {
                    "kind": "routed",
                    "endpoint": "chat",
                    "test": True,
                    "max_output_tokens": 1024,
                    "context_tokens": 8192,
                    "prices": [
                        {
                            "sku": "test/echo:input_token",
                            "usd": "0.000001",
                            "usd_wad": "1000000000000",
                            "version": 1,
                            "state": "normal",
                        }
                    ],
                },
            }
        ],
    },
)
HEALTH = answer(
    "What sells, and what stands in the way.",
    {
        "status": "degraded",
        "state": "queued",
        "reasons": [],
        "skus": {"test/echo:input_token": "queued", "test/new:input_token": "unpriced"},
        "why": {"test/new:input_token": "no source has a price (prices.json: not listed)"},
        "projects": {"0x…": {"symbol": "PROJECTX_AI_CREDITS", "state": "normal"}},
        "block": {"number": 1_234_567, "hash": "0x…", "time": 1_800_000_000},
    },
)
