"""TEST ONLY: what the stub says where it is asked for something else than a chat or vectors."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import orjson

from mintery.providers.stub_answers import CREATED, FINGERPRINT, LABEL, Behaviour, Turn
from mintery.units import ceil_div

SOUND = b"[TEST] no sound"
BYTES_PER_SECOND = 100


def answer_response(turn: Turn) -> dict[str, Any]:
    """One message that echoes the last text of the input."""
    text = _said(turn)
    usage = None if turn.behaviour is Behaviour.NO_USAGE else _response_usage(turn, text)
    return {
        "id": turn.id,
        "object": "response",
        "created_at": CREATED,
        "status": "completed",
        "model": turn.body["model"],
        "system_fingerprint": FINGERPRINT,
        "output": [_message(turn, text)],
        "usage": usage,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def stream_response(turn: Turn) -> Iterator[dict[str, Any]]:
    """The events of a streamed Response, each with its ``type``."""
    whole = answer_response(turn)
    text = _said(turn)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "sequence_number": 0, "response": begun}
    for number, word in enumerate(text.split(" "), start=1):
        delta = word if number == 1 else " " + word
        yield {
            "type": "response.output_text.delta",
            "sequence_number": number,
            "item_id": "msg-" + turn.id,
            "output_index": 0,
            "content_index": 0,
            "delta": delta,
            "logprobs": [],
        }
    yield {"type": "response.completed", "sequence_number": len(text.split(" ")) + 1, "response": whole}


def answer_images(turn: Turn) -> dict[str, Any]:
    """As many pictures as were asked for; each is a text."""
    count = turn.body.get("n") or 1
    picture = base64.b64encode(f"{LABEL} {turn.body['prompt']}".encode()).decode()
    return {"created": CREATED, "data": [{"b64_json": picture} for _ in range(count)]}


def answer_moderation(turn: Turn) -> dict[str, Any]:
    given = turn.body["input"]
    texts = [given] if isinstance(given, str) else given
    judged = {"flagged": False, "categories": {}, "category_scores": {}, "category_applied_input_types": {}}
    return {"id": "modr-" + turn.id, "model": turn.body["model"], "results": [judged for _ in texts]}


def answer_transcription(recording: bytes) -> dict[str, Any]:
    """A second for each hundred bytes, rounded up."""
    heard = hashlib.sha256(recording).hexdigest()[:8]
    seconds = ceil_div(len(recording), BYTES_PER_SECOND)
    return {"text": f"{LABEL} {heard}", "usage": {"type": "duration", "seconds": seconds}}


def _said(turn: Turn) -> str:
    given = turn.body["input"]
    if not isinstance(given, str):
        content = given[-1].get("content", "")
        given = content if isinstance(content, str) else " ".join(str(part.get("text", "")) for part in content)
    return f"{LABEL} echo: {given}"


def _message(turn: Turn, text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"id": "msg-" + turn.id, "type": "message", "role": "assistant", "status": "completed", "content": [part]}


def _response_usage(turn: Turn, text: str) -> dict[str, Any]:
    prompt, completion = turn.usage or (ceil_div(len(orjson.dumps(turn.body["input"])), 4), len(text.split()))
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": prompt + completion,
    }
