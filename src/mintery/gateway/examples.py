"""What OpenAPI shows: bodies and answers as they look."""

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


def _request(
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


def _answer(description: str, example: Any) -> Documented:
    return {200: {"description": description, "content": {"application/json": {"example": example}}}}


_CHAT = {"model": "test/echo", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 64}

CHAT_REQUEST = _request(
    "As OpenAI's. Fields that could cost more than the model's metered units are refused.",
    schemas.CHAT,
    {"whole": _CHAT, "streamed": {**_CHAT, "stream": True, "stream_options": {"include_usage": True}}},
)
CHAT_ANSWERS: Documented = {
    200: {
        "description": "The provider's own answer, byte for byte. `x-mintery-receipt` names its receipt.",
        "headers": {
            "x-mintery-receipt": {"schema": {"type": "string"}, "description": "The receipt's id."},
            "x-mintery-quote-nanocredits": {"schema": {"type": "string"}, "description": "What was held."},
            "x-mintery-cost-nanocredits": {
                "schema": {"type": "string"},
                "description": "What was charged (JSON only).",
            },
        },
        "content": {
            "application/json": {
                "example": {
                    "id": "test-5f1c",
                    "object": "chat.completion",
                    "created": 1_700_000_000,
                    "model": "echo",
                    "choices": [
                        {
                            "index": 0,
                            "message": {"role": "assistant", "content": "[TEST] echo: Hello"},
                            "finish_reason": "stop",
                        }
                    ],
                    "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
                }
            },
            "text/event-stream": {"example": 'data: {"object":"chat.completion.chunk", …}\n\ndata: [DONE]\n\n'},
        },
    }
}

EMBEDDING_REQUEST = _request("As OpenAI's.", schemas.EMBEDDINGS, {"one": {"model": "test/embed", "input": "Hello"}})
EMBEDDING_ANSWERS = _answer(
    "The provider's own answer, byte for byte.",
    {
        "object": "list",
        "model": "embed",
        "data": [{"object": "embedding", "index": 0, "embedding": [3.0, -17.0]}],
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    },
)

RESPONSE_REQUEST = _request(
    "As OpenAI's. What the provider keeps of earlier responses cannot be referred to.",
    schemas.RESPONSES,
    {"whole": {"model": "test/echo", "input": "Hello", "max_output_tokens": 64}},
)
RESPONSE_ANSWERS: Documented = {
    200: {
        "description": "The provider's own answer, byte for byte.",
        "content": {
            "application/json": {"example": {"object": "response", "status": "completed", "output": []}},
            "text/event-stream": {"example": 'event: response.completed\ndata: {"type":"response.completed", …}\n\n'},
        },
    }
}
MODERATION_REQUEST = _request("As OpenAI's.", schemas.MODERATION, {"one": {"model": "test/judge", "input": "Hello"}})
MODERATION_ANSWERS = _answer("The provider's own answer.", {"id": "modr-1", "model": "judge", "results": []})
IMAGE_REQUEST = _request(
    "As OpenAI's. Where sizes have prices of their own, the size is one of them.",
    schemas.IMAGES,
    {"two": {"model": "test/paint", "prompt": "A cat", "n": 2, "size": "1024x1024", "quality": "low"}},
)
IMAGE_ANSWERS = _answer("The provider's own answer.", {"created": 1_700_000_000, "data": [{"b64_json": "…"}]})
SPEECH_REQUEST = _request(
    "As OpenAI's.", schemas.SPEECH, {"one": {"model": "test/speak", "input": "Hello", "voice": "alloy"}}
)
SPEECH_ANSWERS: Documented = {200: {"description": "Sound.", "content": {"audio/mpeg": {}, "audio/wav": {}}}}
TRANSCRIPTION_REQUEST = _request(
    "As OpenAI's.", schemas.TRANSCRIPTION, {"one": {"model": "test/listen", "file": "…"}}, "multipart/form-data"
)
TRANSCRIPTION_ANSWERS = _answer(
    "The provider's own answer.", {"text": "Hello", "usage": {"type": "duration", "seconds": 3}}
)

_MONEY = {
    "route": "test/film",
    "backup": False,
    "test": True,
    "held_nanocredits": "800000000",
    "cost_nanocredits": None,
    "cost_credits": None,
    "receipt": None,
    "given_up_at": 1_800_001_900,
}
_JOB = {
    "id": "req_0123456789abcdef0123456789abcdef",
    "status": "queued",
    "progress": 0,
    "created_at": 1_800_000_000,
    "completed_at": None,
    "expires_at": None,
    "error": None,
    "mintery": _MONEY,
}
VIDEO_REQUEST = _request(
    "As OpenAI's, as JSON or as a form. Where sizes have prices of their own, the size is one of them.",
    schemas.VIDEOS,
    {"one": {"model": "test/film", "prompt": "A cat", "seconds": "8", "size": "1280x720"}},
)
_VIDEO = _JOB | {
    "object": "video",
    "model": "test/film",
    "seconds": "8",
    "size": "1280x720",
    "prompt": None,
    "remixed_from_video_id": None,
}
VIDEO_ANSWER = _answer("A video, which is looked at until its status is completed or failed.", _VIDEO)
VIDEO_LIST = _answer("Newest first.", {"object": "list", "data": [_VIDEO], "has_more": False})
JOB_REQUEST = _request(
    "`input` is for the provider; the model says which fields it takes.",
    schemas.JOBS,
    {"one": {"model": "test/compose", "input": {"prompt": "A waltz", "duration": 30}}},
)
_GENERIC = _JOB | {"object": "job", "model": "test/compose", "output": None}
JOB_ANSWER = _answer("A job, which is looked at until its status is completed or failed.", _GENERIC)
JOB_LIST = _answer("Newest first.", {"object": "list", "data": [_GENERIC], "has_more": False})
MADE: Documented = {
    200: {"description": "What it made, byte for byte.", "content": {"video/mp4": {}, "application/octet-stream": {}}}
}

QUOTE_REQUEST = _request("The body of the request to be priced.", schemas.PRICED, {"chat": _CHAT})
_WALLET = {
    "account": "0x…",
    "token": "0x…",
    "symbol": "PROJECTX_AI_CREDITS",
    "kind": "routed",
    "gateway": "0x…",
    "holder": "0x…",
    "signer": "0x…",
}
QUOTE_ANSWER = _answer(
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
CREDITS_ANSWER = _answer(
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
KEY_ANSWER = _answer(
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
GENERATION_ANSWER = _answer(
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
ROUTE_ANSWER = _answer(
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
WHY_ANSWER = _answer(
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
RECEIPT_ANSWER = _answer(
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
MODEL_LIST = _answer(
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
HEALTH = _answer(
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
