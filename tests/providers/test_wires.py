"""What goes to and comes from providers with formats of their own, against the formats as they document them."""

from contextlib import suppress
from pathlib import Path

import openai.types.chat as chat_types
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.model import Endpoint
from mintery.errors import ProviderNonsense, Unsupported
from mintery.providers import anthropic_wire, google_wire
from mintery.providers.anthropic_wire import AnthropicWire
from mintery.providers.google_wire import GoogleWire
from mintery.providers.sse import EventSplitter, event_payload
from mintery.providers.wires import Wire

SAMPLES = Path(__file__).parent / "samples"
WIRES: dict[str, type[Wire]] = {"anthropic": AnthropicWire, "google": GoogleWire}
CALLS = [
    {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
    {"id": "2", "type": "function", "function": {"name": "g", "arguments": ""}},
]
TALK = {
    "model": "m/1",
    "max_tokens": 64,
    "temperature": 0.5,
    "stop": "END",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "Look."},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        ]},
        {"role": "assistant", "content": None, "tool_calls": CALLS},
        {"role": "tool", "tool_call_id": "1", "content": "one"},
        {"role": "tool", "tool_call_id": "2", "content": [{"type": "text", "text": '{"b":2}'}]},
        {"role": "user", "content": "And?"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
}  # fmt: skip


def sent(wire: str, **fields: object) -> tuple[str, dict]:
    told = WIRES[wire]().sent(Endpoint.CHAT, orjson.dumps({**TALK, **fields}))
    return told.path, orjson.loads(told.body)


def test_a_chat_as_anthropic_takes_it():
    path, body = sent("anthropic", parallel_tool_calls=False, user="u")
    assert path == "/messages"
    assert body == {
        "model": "m/1",
        "temperature": 0.5,
        "max_tokens": 64,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u"},
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "Look."},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
                {"type": "tool_use", "id": "2", "name": "g", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "one"}]},
                {"type": "tool_result", "tool_use_id": "2", "content": [{"type": "text", "text": '{"b":2}'}]},
                {"type": "text", "text": "And?"},
            ]},
        ],
        "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    }  # fmt: skip


def test_cache_marks_and_addresses_reach_anthropic():
    mark = {"cache_control": {"type": "ephemeral"}}
    parts = [
        {"type": "text", "text": "a", **mark},
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
    ]
    tools = [{"type": "function", "function": {"name": "f"}, **mark}]
    _, body = sent("anthropic", messages=[{"role": "user", "content": parts}], tools=tools, tool_choice="required")
    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "a", **mark},
        {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
    ]
    assert body["tools"][0] == {"name": "f", "input_schema": {"type": "object", "properties": {}}, **mark}
    assert body["tool_choice"] == {"type": "any"}


def test_a_chat_as_google_takes_it():
    path, body = sent("google", top_k=5, seed=7)
    assert path == "/models/m%2F1:generateContent"
    assert body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {
            "temperature": 0.5, "topK": 5, "seed": 7, "maxOutputTokens": 64, "stopSequences": ["END"],
        },
        "contents": [
            {"role": "user", "parts": [
                {"text": "Look."}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            ]},
            {"role": "model", "parts": [
                {"functionCall": {"name": "f", "args": {"a": 1}}}, {"functionCall": {"name": "g", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "f", "response": {"result": "one"}}},
                {"functionResponse": {"name": "g", "response": {"b": 2}}},
                {"text": "And?"},
            ]},
        ],
        "tools": [{"functionDeclarations": [
            {"name": "f", "description": "d", "parametersJsonSchema": {"type": "object"}},
        ]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    }  # fmt: skip


def test_a_google_stream_has_its_own_method_and_forms():
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    sound = {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}}
    path, body = sent(
        "google",
        stream=True,
        response_format=schema,
        modalities=["text", "image"],
        tool_choice="none",
        messages=[{"role": "user", "content": [sound]}],
    )
    assert path.endswith(":streamGenerateContent?alt=sse")
    config = body["generationConfig"]
    assert (config["responseMimeType"], config["responseJsonSchema"]) == ("application/json", {"type": "object"})
    assert config["responseModalities"] == ["TEXT", "IMAGE"]
    assert body["toolConfig"]["functionCallingConfig"] == {"mode": "NONE"}
    assert body["contents"][0]["parts"] == [{"inlineData": {"mimeType": "audio/mp3", "data": "AA"}}]


def test_a_thought_signature_comes_back_to_google_with_its_call():
    [first, *_] = chunks("google", "google-tools-stream.sse")
    call = first["choices"][0]["delta"]["tool_calls"][0]
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    _, body = sent("google", messages=messages)
    assert body["contents"][1]["parts"][0]["thoughtSignature"] == "CqQB"


BROKEN = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(
        ["role", "content", "type", "text", "tool_calls", "function", "name", "arguments", "id", "image_url", "url",
         "tool_call_id", "input_audio", "extra_content", "google", "schema", "json_schema"]), each, max_size=4),
    max_leaves=8,
)  # fmt: skip
ROLES = st.sampled_from(["system", "user", "assistant", "tool", "function"])


@pytest.mark.parametrize("wire", WIRES)
@given(
    messages=st.lists(st.fixed_dictionaries({"role": ROLES}, optional={
        "content": BROKEN, "tool_calls": BROKEN, "tool_call_id": BROKEN}), max_size=3),
    fields=st.fixed_dictionaries({}, optional=dict.fromkeys(
        ("tools", "tool_choice", "response_format", "stop", "modalities", "user", "temperature"), BROKEN)),
)  # fmt: skip
def test_what_a_format_cannot_say_is_refused(wire: str, messages: list, fields: dict):
    with suppress(Unsupported):
        sent(wire, messages=messages, **fields)


@pytest.mark.parametrize("wire", WIRES)
@given(answer=BROKEN)
def test_an_answer_that_is_none_is_nonsense(wire: str, answer: object):
    raw = orjson.dumps(answer)
    with suppress(ProviderNonsense):
        WIRES[wire]().read("acme", Endpoint.CHAT, raw, "application/json")
    with suppress(ProviderNonsense):
        WIRES[wire]().events("acme", Endpoint.CHAT).read(b"data: " + raw + b"\n\n")


@pytest.mark.parametrize(
    ("wire", "fields"),
    [
        ("anthropic", {"messages": [{"role": "function", "content": "a"}]}),
        ("anthropic", {"response_format": {"type": "json_object"}}),
        ("anthropic", {"n": 2}),
        ("anthropic", {"tools": [{"type": "custom", "custom": {}}]}),
        ("anthropic", {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]}),
        ("anthropic", {"tool_choice": "sometimes"}),
        ("google", {"messages": [{"role": "tool", "tool_call_id": "9", "content": "a"}]}),
        (
            "google",
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a"}}]}]},
        ),
        ("google", {"logprobs": True}),
        ("google", {"response_format": {"type": "grammar"}}),
    ],
)
def test_what_a_format_has_no_words_for_is_found_before_it_is_sent(wire: str, fields: dict):
    with pytest.raises(Unsupported):
        WIRES[wire]().check({**TALK, **fields})


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("depth", [260, 1_000])
def test_what_nests_more_deeply_than_is_written_is_found_before_it_is_sent(wire: str, depth: int):
    arguments = '{"a":' * depth + "1" + "}" * depth
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}]
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": None, "tool_calls": calls}]
    with pytest.raises(Unsupported):
        WIRES[wire]().check({**TALK, "messages": messages})


def whole(wire: str, sample: str) -> chat_types.ChatCompletion:
    """As the stock client reads it."""
    reply = WIRES[wire]().read("acme", Endpoint.CHAT, (SAMPLES / sample).read_bytes(), "application/json")
    return chat_types.ChatCompletion.model_validate_json(reply.body)


def chunks(wire: str, sample: str) -> list[dict]:
    reader = WIRES[wire]().events("acme", Endpoint.CHAT)
    events = [each for raw in EventSplitter(10**6).feed((SAMPLES / sample).read_bytes()) for each in reader.read(raw)]
    events += [] if events[-1].last else reader.finish()
    assert event_payload(events[-1].raw) == b"[DONE]"
    told = [orjson.loads(event_payload(event.raw) or b"") for event in events[:-1]]
    for each in told:
        chat_types.ChatCompletionChunk.model_validate(each)
    return told


def test_calls_of_both_formats_are_calls_to_the_stock_client():
    answer = whole("anthropic", "anthropic-tools.json").choices[0]
    assert answer.finish_reason == "tool_calls"
    assert answer.message.content == "Let me look."
    assert [(each.id, each.function.name, orjson.loads(each.function.arguments)) for each in answer.message.tool_calls] == [
        ("toolu_1", "weather", {"city": "Paris"}), ("toolu_2", "weather", {"city": "Rome"}),
    ]  # fmt: skip

    for wire, sample, name in (
        ("anthropic", "anthropic-tools-stream.sse", "toolu_1"),
        ("google", "google-tools-stream.sse", "call_0"),
    ):
        told = chunks(wire, sample)
        deltas = [choice["delta"] for each in told for choice in each["choices"]]
        calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
        assert (calls[0]["id"], calls[0]["function"]["name"]) == (name, "weather")
        first = "".join(call["function"]["arguments"] for call in calls if call["index"] == 0)
        assert orjson.loads(first) == {"city": "Paris"}
        finishes = [choice["finish_reason"] for each in told for choice in each["choices"]]
        assert finishes[-1] == "tool_calls"
        assert set(finishes[:-1]) == {None}
    assert {call["index"] for call in calls} == {0, 1}


def test_usage_is_told_as_openai_tells_it():
    usage = whole("anthropic", "anthropic-cache-hour.json").usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (2_048 + 556 + 1_800, 503)
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 1_800

    told = chunks("google", "google-stream.sse")
    assert told[-1]["choices"] == []
    assert told[-1]["usage"]["prompt_tokens"] == 30
    assert told[-1]["usage"]["completion_tokens"] == 429
    assert told[-1]["usage"]["completion_tokens_details"]["reasoning_tokens"] == 420
    said = "".join(choice["delta"].get("content", "") for each in told for choice in each["choices"])
    assert said == "The sum is 42."


def test_pictures_and_blocked_prompts():
    message = whole("google", "google-images.json").choices[0].message
    assert message.content == "Two cats."
    assert [each["image_url"]["url"][:15] for each in message.images] == ["data:image/png;"] * 2  # type: ignore[attr-defined]  # beyond OpenAI's own fields
    blocked = whole("google", "google-blocked.json").choices[0]
    assert (blocked.finish_reason, blocked.message.content) == ("content_filter", None)


@pytest.mark.parametrize(
    "change",
    [{"input_tokens": 1.5}, {"input_tokens": None}, {"output_tokens": "9"}, {"cache_read_input_tokens": 0.5},
     {"cache_creation": {"ephemeral_1h_input_tokens": True}}],
)  # fmt: skip
def test_usage_of_anthropic_that_is_no_whole_number_is_missing(change: dict):
    fields = {"input_tokens": 5, "output_tokens": 3, **change}
    assert anthropic_wire.read_usage(fields) is None


@pytest.mark.parametrize(
    "change",
    [{"promptTokenCount": 1.5}, {"thoughtsTokenCount": "9"},
     {"promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 2.5}]}],
)  # fmt: skip
def test_usage_of_google_that_is_no_whole_number_is_missing(change: dict):
    assert google_wire.read_usage({"promptTokenCount": 5, **change}) is None
    assert google_wire.read_usage({}) is None


def test_cached_sound_whose_kind_was_left_out_counts_as_cached():
    fields = {
        "promptTokenCount": 1_000,
        "cachedContentTokenCount": 950,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 900}],
    }
    assert google_wire.read_usage(fields) == {
        "input_token": 0, "cached_input_token": 950, "audio_input_token": 50, "output_token": 0,
    }  # fmt: skip


def test_more_written_for_an_hour_than_written_stands_out():
    fields = {"input_tokens": 5, "output_tokens": 3, "cache_creation_input_tokens": 10}
    usage = anthropic_wire.read_usage({**fields, "cache_creation": {"ephemeral_1h_input_tokens": 11}})
    assert usage is not None
    assert min(usage.values()) < 0


def test_errors_in_mid_stream_break_it():
    for wire, event in (
        ("anthropic", {"type": "error", "error": {"type": "overloaded_error"}}),
        ("google", {"error": {"code": 503}}),
    ):
        with pytest.raises(ProviderNonsense):
            WIRES[wire]().events("acme", Endpoint.CHAT).read(b"data: " + orjson.dumps(event) + b"\n\n")


def test_what_tools_put_into_a_prompt_is_input():
    fields = {"promptTokenCount": 10, "toolUsePromptTokenCount": 7, "candidatesTokenCount": 3, "thoughtsTokenCount": 2}
    assert google_wire.read_usage(fields) == {"input_token": 17, "output_token": 3, "reasoning_token": 2}
