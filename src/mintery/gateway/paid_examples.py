"""What OpenAPI shows of requests that are paid, and of their answers."""

from mintery.gateway import schemas
from mintery.gateway.examples import CHAT_BODY, Documented, answer, request

CHAT_REQUEST = request(
    "As OpenAI's. Fields that could cost more than the model's metered units are refused.",
    schemas.CHAT,
    {"whole": CHAT_BODY, "streamed": {**CHAT_BODY, "stream": True, "stream_options": {"include_usage": True}}},
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

EMBEDDING_REQUEST = request("As OpenAI's.", schemas.EMBEDDINGS, {"one": {"model": "test/embed", "input": "Hello"}})
EMBEDDING_ANSWERS = answer(
    "The provider's own answer, byte for byte.",
    {
        "object": "list",
        "model": "embed",
        "data": [{"object": "embedding", "index": 0, "embedding": [3.0, -17.0]}],
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    },
)

RESPONSE_REQUEST = request(
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
MODERATION_REQUEST = request("As OpenAI's.", schemas.MODERATION, {"one": {"model": "test/judge", "input": "Hello"}})
MODERATION_ANSWERS = answer("The provider's own answer.", {"id": "modr-1", "model": "judge", "results": []})
IMAGE_REQUEST = request(
    "As OpenAI's. Where sizes have prices of their own, the size is one of them.",
    schemas.IMAGES,
    {"two": {"model": "test/paint", "prompt": "A cat", "n": 2, "size": "1024x1024", "quality": "low"}},
)
IMAGE_ANSWERS = answer("The provider's own answer.", {"created": 1_700_000_000, "data": [{"b64_json": "…"}]})
SPEECH_REQUEST = request(
    "As OpenAI's.", schemas.SPEECH, {"one": {"model": "test/speak", "input": "Hello", "voice": "alloy"}}
)
SPEECH_ANSWERS: Documented = {200: {"description": "Sound.", "content": {"audio/mpeg": {}, "audio/wav": {}}}}
TRANSCRIPTION_REQUEST = request(
    "As OpenAI's.", schemas.TRANSCRIPTION, {"one": {"model": "test/listen", "file": "…"}}, "multipart/form-data"
)
TRANSCRIPTION_ANSWERS = answer(
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
VIDEO_REQUEST = request(
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
VIDEO_ANSWER = answer("A video, which is looked at until its status is completed or failed.", _VIDEO)
VIDEO_LIST = answer("Newest first.", {"object": "list", "data": [_VIDEO], "has_more": False})
JOB_REQUEST = request(
    "`input` is for the provider; the model says which fields it takes.",
    schemas.JOBS,
    {"one": {"model": "test/compose", "input": {"prompt": "A waltz", "duration": 30}}},
)
_GENERIC = _JOB | {"object": "job", "model": "test/compose", "output": None}
JOB_ANSWER = answer("A job, which is looked at until its status is completed or failed.", _GENERIC)
JOB_LIST = answer("Newest first.", {"object": "list", "data": [_GENERIC], "has_more": False})
MADE: Documented = {
    200: {"description": "What it made, byte for byte.", "content": {"video/mp4": {}, "application/octet-stream": {}}}
}
