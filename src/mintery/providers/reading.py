"""What an OpenAI-shaped answer says: its usage, and how much it produced."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from mintery.domain.model import Endpoint, Unit
from mintery.errors import ProviderNonsense
from mintery.providers.calls import JSON, Reply, StreamEvent
from mintery.providers.sse import DONE, EventSplitter, event_payload
from mintery.providers.usage import read_images_usage, read_responses_usage, read_transcription_usage, read_usage

_TEXTS = frozenset({"content", "reasoning_content", "reasoning", "refusal"})


EVENTS = "text/event-stream"
OCTETS = "application/octet-stream"
_ENDS = frozenset({"response.completed", "response.incomplete"})
_FAILS = frozenset({"response.failed", "error"})


def read_reply(provider: str, endpoint: Endpoint, body: bytes, content_type: str = JSON) -> Reply:
    """Raises ProviderNonsense when the body is not what the endpoint answers with."""
    if endpoint is Endpoint.SPEECH:
        return _read_sound(provider, body, content_type)
    return _READERS[endpoint](provider, body, json_object(provider, body))


def _read_choices(provider: str, body: bytes, answer: dict[str, Any]) -> Reply:
    choices = _list(provider, answer, "choices")
    usage = read_usage(answer.get("usage"))
    return Reply(body, usage, sum(_produced(choice, "message") for choice in choices) if usage is None else 0)


def _read_response(provider: str, body: bytes, answer: dict[str, Any]) -> Reply:
    items = _list(provider, answer, "output")
    if answer.get("status") == "failed":
        raise ProviderNonsense(provider, "the response failed")
    usage = read_responses_usage(answer.get("usage"))
    return Reply(body, usage, len(orjson.dumps(items)) if usage is None else 0)


def _read_sound(provider: str, body: bytes, content_type: str) -> Reply:
    if content_type == EVENTS:
        return _join_sound(provider, body)
    if not content_type.isascii() or not content_type.startswith(("audio/", OCTETS)):
        raise ProviderNonsense(provider, f"sound was asked for and {content_type[:80]} came")
    if not body:
        raise ProviderNonsense(provider, "the sound is empty")
    return Reply(body, None, 0, content_type)


def _join_sound(provider: str, body: bytes) -> Reply:
    """Sound that came as events: the last of them tells what was used."""
    splitter, sound, usage, ended = EventSplitter(len(body)), [], None, False
    for raw in splitter.feed(body):
        event = json_object(provider, event_payload(raw) or b"{}")
        match event.get("type"):
            case "speech.audio.delta":
                sound.append(_decoded(provider, event.get("audio")))
            case "speech.audio.done":
                usage, ended = read_responses_usage(event.get("usage")), True
            case "error":
                raise ProviderNonsense(provider, "it sent an error in mid-stream")
    if not ended or not any(sound):
        raise ProviderNonsense(provider, "the sound has no end")
    return Reply(b"".join(sound), usage, 0, OCTETS)


def _decoded(provider: str, coded: Any) -> bytes:
    try:
        return base64.b64decode(coded, validate=True)
    except (TypeError, ValueError):
        raise ProviderNonsense(provider, "the sound is no base64") from None


def _read_vectors(provider: str, body: bytes, answer: dict[str, Any]) -> Reply:
    _list(provider, answer, "data")
    return Reply(body, read_usage(answer.get("usage"), says=False), 0)


def _read_judgements(provider: str, body: bytes, answer: dict[str, Any]) -> Reply:
    _list(provider, answer, "results")
    return Reply(body, read_usage(answer.get("usage"), says=False), 0)


def _read_pictures(provider: str, body: bytes, answer: dict[str, Any]) -> Reply:
    pictures = _list(provider, answer, "data")
    return Reply(body, {**(read_images_usage(answer.get("usage")) or {}), Unit.IMAGE: len(pictures)}, 0)


def _read_transcript(provider: str, body: bytes, answer: dict[str, Any]) -> Reply:
    if not isinstance(answer.get("text"), str):
        raise ProviderNonsense(provider, "text is missing")
    return Reply(body, read_transcription_usage(answer), _size(answer["text"]))


_READERS: Mapping[Endpoint, Callable[[str, bytes, dict[str, Any]], Reply]] = {
    Endpoint.CHAT: _read_choices,
    Endpoint.RESPONSES: _read_response,
    Endpoint.EMBEDDINGS: _read_vectors,
    Endpoint.MODERATION: _read_judgements,
    Endpoint.IMAGES: _read_pictures,
    Endpoint.TRANSCRIPTION: _read_transcript,
}


def _list(provider: str, answer: dict[str, Any], name: str) -> list[Any]:
    found = answer.get(name)
    if not isinstance(found, list):
        raise ProviderNonsense(provider, f"{name} are missing")
    return found


def plain_bytes(arrived: bytes) -> int:
    """How many of the first bytes are plain: all of them, or what stands before the last chunk, which tells the usage at the
    end of a stream, and may not have arrived as a whole before it.
    """
    if _is_plain(arrived):
        return len(arrived)
    end = arrived.rfind(b"data: [DONE]")
    before = arrived[: arrived.rfind(b"\n\ndata: {", 0, len(arrived) if end < 0 else end) + 2]
    return len(before) if _is_plain(before) else 0


def _is_plain(arrived: bytes) -> bool:
    """Whether these bytes are whole chunks, each on one line, that say nothing of usage, errors or the end.

    They are not parsed: a name in quotes stands in JSON only as a key or as a whole text, for quotes inside a text are
    escaped, and only a key is followed by a colon. So what is called plain is plain, and a text that happens to be ``error``
    is merely read the long way.
    """
    events = arrived.count(b"\n\n")
    return (
        arrived.startswith(b"data: {")
        and arrived.endswith(b"}\n\n")
        and arrived.count(b"}\n\ndata: {") == events - 1
        and arrived.count(b"\n") == 2 * events
        and arrived.count(b'"choices":') == events
        and arrived.count(b'"usage"') == arrived.count(b'"usage":null')
        and b'"error"' not in arrived
        and b"\r" not in arrived
    )


def produced_by(raw: bytes) -> int:
    """UTF-8 bytes of generated text and tool arguments in whole events; what is no chunk has none."""
    produced = 0
    splitter = EventSplitter(len(raw))
    for event in splitter.feed(raw):
        payload = event_payload(event)
        try:
            chunk = orjson.loads(payload or b"null")
        except orjson.JSONDecodeError:
            continue  # the end of the stream, or what no client can read either
        if not isinstance(chunk, dict):
            continue
        choices = chunk.get("choices")
        produced += sum(_produced(choice, "delta") for choice in choices) if isinstance(choices, list) else 0
        if str(chunk.get("type")).startswith("response."):
            produced += _size(chunk.get("delta"))
    return produced


def is_ended(stream: bytes) -> bool:
    """Whether a stream that was kept came to its end."""
    if DONE in stream[-32:]:
        return True
    last = event_payload(stream.rstrip().rpartition(b"\n\n")[2])
    try:
        chunk = orjson.loads(last or b"null")
    except orjson.JSONDecodeError:
        return False
    return isinstance(chunk, dict) and chunk.get("type") in _ENDS


def read_response_event(provider: str, raw: bytes) -> StreamEvent:
    """One event of a streamed Response. Its last one carries the usage.

    Raises:
        ProviderNonsense: it tells of an error, or is no event of a Response.
    """
    payload = event_payload(raw)
    if payload is None:
        return StreamEvent(raw)
    event = json_object(provider, payload)
    kind = event.get("type")
    if not isinstance(kind, str) or kind in _FAILS:
        raise ProviderNonsense(provider, "it sent an error in mid-stream" if kind in _FAILS else "an event has no type")
    if kind not in _ENDS:
        return StreamEvent(raw)
    response = event.get("response")
    return StreamEvent(
        raw, read_responses_usage(response.get("usage") if isinstance(response, dict) else None), last=True
    )


def read_event(provider: str, raw: bytes) -> StreamEvent:
    """Raises ProviderNonsense for an event that is an error or no chunk of a chat completion."""
    payload = event_payload(raw)
    if payload is None:
        return StreamEvent(raw)
    if payload.strip() == DONE:
        return StreamEvent(raw, last=True)
    chunk = json_object(provider, payload)
    if chunk.get("error"):
        raise ProviderNonsense(provider, "it sent an error in mid-stream")
    choices = chunk.get("choices")
    if not isinstance(choices, list):
        raise ProviderNonsense(provider, "a chunk has no choices")
    usage = read_usage(chunk.get("usage"))
    return StreamEvent(raw, usage, only_usage=usage is not None and not choices)


def json_object(provider: str, body: bytes) -> dict[str, Any]:
    """Raises ProviderNonsense unless it is one."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ProviderNonsense(provider, "no JSON") from None
    if not isinstance(answer, dict):
        raise ProviderNonsense(provider, "no JSON object")
    return answer


def _produced(choice: Any, part: str) -> int:
    message = choice.get(part) if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        return 0
    produced = 0
    for name, value in message.items():
        if name in _TEXTS:
            produced += _size(value)
        elif name == "tool_calls" and isinstance(value, list):
            produced += sum(_called(call) for call in value)
    return produced


def _called(call: Any) -> int:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return 0
    return _size(function.get("name")) + _size(function.get("arguments"))


def _size(text: Any) -> int:
    if not isinstance(text, str):
        return 0
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
