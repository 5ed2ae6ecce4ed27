"""The bound on a request's tokens, held against a tokenizer that is as bad as one can be: a token for each byte."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.voucher import Kind
from mintery.errors import MalformedRequest, Unsupported
from mintery.providers.calls import Terms
from mintery.usecases.shape_request import find_model, read_fields, shape_request

CHAT = Model("acme/m", "m-1", "acme", 1, Kind.ROUTED, Endpoint.CHAT, frozenset({Unit.OUTPUT_TOKEN}), 900, 10**9)
VECTORS = Model("acme/v", "v-1", "acme", 1, Kind.ROUTED, Endpoint.EMBEDDINGS, frozenset({Unit.INPUT_TOKEN}), 0, 10**9)
TERMS = Terms(longest=600, cap_field="max_completion_tokens", extra_fields=frozenset({"guided_json"}))

TEXTS = st.text(max_size=200)
PARTS = st.lists(TEXTS.map(lambda text: {"type": "text", "text": text}), max_size=3)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXTS | PARTS}),
    min_size=1,
    max_size=6,
)


def byte_tokens(messages: list[dict]) -> int:
    """A token for each byte of text, and twelve for the template around each message."""
    total = 0
    for message in messages:
        content = message["content"]
        texts = [content] if isinstance(content, str) else [part["text"] for part in content]
        total += 12 + len(message["role"].encode()) + sum(len(text.encode()) for text in texts)
    return total


@given(messages=MESSAGES)
def test_no_prompt_has_more_tokens_than_the_bound(messages: list[dict]):
    raw = orjson.dumps({"model": "acme/m", "messages": messages})
    shaped = shape_request(CHAT, TERMS, read_fields(raw), choices=4)
    assert byte_tokens(messages) <= shaped.most[Unit.INPUT_TOKEN]


@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
def test_no_embedding_has_more_tokens_than_the_bound(texts: list[str]):
    shaped = shape_request(VECTORS, TERMS, {"model": "acme/v", "input": texts}, choices=4)
    assert sum(2 + len(text.encode()) for text in texts) <= shaped.most[Unit.INPUT_TOKEN]
    assert Unit.OUTPUT_TOKEN not in shaped.most


@given(tokens=st.lists(st.integers(0, 200_000), min_size=1, max_size=50))
def test_token_lists_are_bounded_too(tokens: list[int]):
    shaped = shape_request(VECTORS, TERMS, {"model": "acme/v", "input": tokens}, choices=4)
    assert len(tokens) <= shaped.most[Unit.INPUT_TOKEN]


@pytest.mark.parametrize(
    ("fields", "cap"),
    [
        ({}, 900),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6}, 6),
        ({"max_tokens": 5, "max_completion_tokens": 6}, 6),
        ({"max_tokens": None, "n": 4}, 900),
    ],
)
def test_the_cap_goes_upstream_in_the_one_field_that_is_read(fields: dict, cap: int):
    body = {"model": "acme/m", "messages": [{"role": "user", "content": "a"}], **fields}
    shaped = shape_request(CHAT, TERMS, body, choices=4)
    sent = orjson.loads(shaped.body)

    assert sent["max_completion_tokens"] == cap
    assert "max_tokens" not in sent
    assert sent["model"] == "m-1"
    assert shaped.most[Unit.OUTPUT_TOKEN] == cap * fields.get("n", 1)


def test_the_context_bounds_the_prompt():
    small = Model("acme/m", "m", "acme", 1, Kind.ROUTED, Endpoint.CHAT, CHAT.units, 10, context_tokens=50)
    body = {"model": "acme/m", "messages": [{"role": "user", "content": "a" * 1_000}]}
    assert shape_request(small, TERMS, body, choices=1).most[Unit.INPUT_TOKEN] == 50


def test_usage_is_forced_upstream_and_other_options_are_kept():
    body = {
        "messages": [{"role": "user", "content": "a"}],
        "stream": True,
        "stream_options": {"include_obfuscation": False},
    }
    shaped = shape_request(CHAT, TERMS, body, choices=1)
    assert orjson.loads(shaped.body)["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert not shaped.show_usage


def test_fields_that_the_operator_vouches_for_pass():
    body = {"messages": [{"role": "user", "content": "a"}], "guided_json": {"type": "object"}}
    assert b"guided_json" in shape_request(CHAT, TERMS, body, choices=1).body
    with pytest.raises(Unsupported):
        shape_request(CHAT, Terms(600), body, choices=1)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "7", 901])
def test_caps_are_whole_numbers_in_range(value: object):
    with pytest.raises(MalformedRequest):
        shape_request(CHAT, TERMS, {"messages": [{"role": "user", "content": "a"}], "max_tokens": value}, choices=1)


def test_a_model_is_found_by_its_name_and_endpoint():
    models = {CHAT.id: CHAT}
    assert find_model(models, {"model": "acme/m"}, None) is CHAT
    with pytest.raises(Unsupported):
        find_model(models, {"model": "acme/m"}, Endpoint.EMBEDDINGS)


MARK = {"cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "user", "content": "a", **MARK}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", **MARK}]}]},
        {"messages": [{"role": "user", "content": "a"}], "tools": [{"type": "function", "function": {}, **MARK}]},
        {"messages": [{"role": "assistant", "audio": {"id": "x"}}]},
    ],
)
def test_marks_that_some_providers_price_apart_are_refused_at_every_depth(fields: dict):
    with pytest.raises(Unsupported):
        shape_request(CHAT, TERMS, fields, choices=1)


def test_a_conversation_with_tools_passes():
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "a", "name": "me"},
        {"role": "assistant", "content": None, "tool_calls": [call], "audio": None, "refusal": None},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "b"}]},
    ]
    tools = [{"type": "function", "function": {"name": "f"}}]
    shaped = shape_request(CHAT, TERMS, {"messages": messages, "tools": tools}, choices=1)
    assert shaped.most[Unit.INPUT_TOKEN] > 0
