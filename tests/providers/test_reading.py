from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.fakes.provider import tokens

from mintery.domain.model import Endpoint
from mintery.errors import ProviderNonsense
from mintery.providers.reading import plain_bytes, produced_by, read_event, read_reply
from mintery.providers.sse import EventSplitter, event_of
from mintery.providers.usage import read_usage

USAGES = {
    "openai": (
        {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 4}},
        tokens(9, 3, 4),
    ),
    "embeddings": ({"prompt_tokens": 9, "total_tokens": 9}, tokens(9, 0)),
    "llama.cpp": ({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}, tokens(9, 3)),
    "deepseek": ({"prompt_tokens": 9, "completion_tokens": 3, "prompt_cache_hit_tokens": 5}, tokens(9, 3, 5)),
    "vllm": ({"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": None}, tokens(9, 3)),
    "nothing cached": (
        {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": None}},
        tokens(9, 3),
    ),
    "zero": ({"prompt_tokens": 0, "completion_tokens": 0}, tokens(0, 0)),
    "negative": ({"prompt_tokens": -1, "completion_tokens": 3}, tokens(-1, 3)),
    "null": (None, None),
    "empty": ({}, None),
    "fraction": ({"prompt_tokens": 1.5, "completion_tokens": 3}, None),
    "text": ({"prompt_tokens": "9", "completion_tokens": 3}, None),
    "truth": ({"prompt_tokens": True, "completion_tokens": 3}, None),
    "list": ([1, 2], None),
}


@pytest.mark.parametrize("name", USAGES)
def test_usage_in_the_shapes_that_providers_send(name: str):
    fields, usage = USAGES[name]
    assert read_usage(fields, says=name != "embeddings") == usage


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"choices": 5}'])
def test_nonsense_is_told(body: bytes):
    with pytest.raises(ProviderNonsense):
        read_reply("acme", Endpoint.CHAT, body)


def test_what_was_produced_is_counted_in_bytes_over_texts_reasoning_and_tools():
    message = {
        "content": "äb",
        "reasoning_content": "cde",
        "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}, None],
    }
    body = orjson.dumps({"choices": [{"message": message}, {"message": None}, None]})
    assert read_reply("acme", Endpoint.CHAT, body).produced == 3 + 3 + 1 + 2


def test_events():
    def event(payload: object) -> bytes:
        return b"data: " + orjson.dumps(payload) + b"\n\n"

    text = read_event("acme", event({"choices": [{"delta": {"content": "abc"}}], "usage": None}))
    assert (produced_by(text.raw), text.usage, text.only_usage, text.last) == (3, None, False, False)

    usage = read_event("acme", event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}))
    assert (usage.usage, usage.only_usage) == (tokens(1, 2), True)

    both = read_event(
        "acme", event({"choices": [{"delta": {}}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    )
    assert (both.usage, both.only_usage) == (tokens(1, 2), False)

    assert read_event("acme", b"data: [DONE]\n\n").last
    assert read_event("acme", b": OPENROUTER PROCESSING\n\n").raw == b": OPENROUTER PROCESSING\n\n"
    for wrong in ({"error": {"message": "no"}, "choices": []}, {"id": "x"}, [1]):
        with pytest.raises(ProviderNonsense):
            read_event("acme", event(wrong))
    with pytest.raises(ProviderNonsense):
        read_event("acme", b"data: {\n\n")


TEXTS = st.text() | st.sampled_from(
    ["error", "choices", "usage", '"usage":{}', 'data: {"error":1}\n\n', "[DONE]", "\r\n"]
)
CHUNKS = st.builds(
    lambda text, more: {"choices": [{"delta": {"content": text}}], **more},
    TEXTS,
    st.sampled_from(
        [{}, {"usage": None}, {"usage": {"prompt_tokens": 1}}, {"error": {"message": "x"}}, {"x": {"usage": {"n": 1}}}]
    ),
)


@example([{"choices": [{"delta": {"content": "choices"}}]}, {"id": "x"}], False)
@given(st.lists(CHUNKS | st.sampled_from([{"choices": []}, {"id": "x"}, []]), min_size=1, max_size=4), st.booleans())
def test_what_is_called_plain_says_nothing_but_text(chunks: list[Any], done: bool):
    arrived = b"".join(event_of(orjson.dumps(chunk)) for chunk in chunks) + b"data: [DONE]\n\n" * done

    plain = plain_bytes(arrived)

    splitter = EventSplitter(10**6)
    events = [read_event("acme", event) for event in splitter.feed(arrived[:plain])]
    assert splitter.empty
    assert all((event.usage, event.only_usage, event.last) == (None, False, False) for event in events)
    assert not any("usage" in chunk and chunk["usage"] for chunk in chunks[: len(events)])
    assert len(events) <= len(chunks)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), min_size=1, max_size=5))
def test_ordinary_chunks_are_plain(words: list[str]):
    chunks = [{"choices": [{"delta": {"content": f"a{word}"}}], "usage": None} for word in words]
    arrived = b"".join(event_of(orjson.dumps(chunk)) for chunk in chunks)

    but_the_last = arrived.rfind(b"data: {")
    assert plain_bytes(arrived) == len(arrived)
    assert plain_bytes(arrived[:-1]) == plain_bytes(arrived + b": wait\n\n") == but_the_last
    assert plain_bytes(arrived[:but_the_last] + b'data: {"cho') == but_the_last
    usage = event_of(b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}')
    assert plain_bytes(arrived + usage) == plain_bytes(arrived + usage + b"data: [DONE]\n\n") == len(arrived)
    assert produced_by(arrived) == sum(len(f"a{word}".encode()) for word in words)


def test_text_is_counted_past_what_is_no_chunk():
    assert (
        produced_by(b": wait\n\ndata: {\n\ndata: [1]\n\n" + event_of(b'{"choices":[{"delta":{"content":"ab"}}]}')) == 2
    )
