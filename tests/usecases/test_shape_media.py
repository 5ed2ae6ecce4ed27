"""What pictures, sound and other endpoints may cost at most, and what is refused because nobody knows."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.voucher import Kind
from mintery.errors import MalformedRequest, Unsupported
from mintery.providers.anthropic_wire import AnthropicWire
from mintery.providers.calls import Terms
from mintery.providers.google_wire import GoogleWire
from mintery.providers.openai_wire import OpenAIWire
from mintery.usecases.read_form import Upload
from mintery.usecases.shape_chat import CHAT_FIELDS
from mintery.usecases.shape_embeddings import EMBEDDING_FIELDS, MODERATION_FIELDS
from mintery.usecases.shape_images import IMAGE_FIELDS
from mintery.usecases.shape_long_jobs import JOB_FIELDS, VIDEO_FIELDS
from mintery.usecases.shape_request import find_model, shape_request
from mintery.usecases.shape_responses import RESPONSES_FIELDS
from mintery.usecases.shape_speech import SPEECH_FIELDS
from mintery.usecases.shape_transcription import TRANSCRIPTION_FIELDS

TERMS = Terms(600)
TOKENS = frozenset({Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN})
PLAIN = Model("acme/m", "m-1", "acme", 1, Kind.ROUTED, Endpoint.CHAT, TOKENS, 900, 10**9)
SEES = replace(PLAIN, image_tokens=1_500, also=frozenset({Endpoint.RESPONSES}))
HEARS = replace(PLAIN, audio_tokens=4_000, units=TOKENS | {Unit.AUDIO_INPUT_TOKEN, Unit.AUDIO_OUTPUT_TOKEN})

TEXT = st.text(max_size=60).map(lambda text: {"type": "text", "text": text})
PICTURE = st.binary(max_size=300).map(
    lambda raw: {"type": "image_url", "image_url": {"url": "data:image/png;base64," + raw.hex()}}
)
SOUND = st.binary(max_size=300).map(
    lambda raw: {"type": "input_audio", "input_audio": {"data": raw.hex(), "format": "wav"}}
)


def chat(*parts: object, **fields: object) -> dict:
    return {"messages": [{"role": "user", "content": list(parts)}], **fields}


@given(parts=st.lists(TEXT | PICTURE | SOUND, min_size=1, max_size=6))
def test_text_counts_by_its_bytes_and_all_else_by_its_number(parts: list[dict]):
    both = replace(HEARS, image_tokens=1_500)
    texts = sum(len(part["text"].encode()) for part in parts if part["type"] == "text")
    pictures = sum(part["type"] == "image_url" for part in parts)
    clips = sum(part["type"] == "input_audio" for part in parts)

    shaped = shape_request(both, TERMS, chat(*parts), choices=1)

    least = texts + 1_500 * pictures + 4_000 * clips
    assert least <= shaped.most[Unit.INPUT_TOKEN] <= least + 5 * texts + 200 * len(parts) + 500
    assert (Unit.AUDIO_INPUT_TOKEN in shaped.most) == (not clips)  # text alone is held for as text
    assert shaped.most[Unit.AUDIO_OUTPUT_TOKEN] == 0
    assert orjson.loads(shaped.body)["messages"][0]["content"] == parts


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "video_url", "video_url": {"url": "https://a/b.mp4"}},
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": []},
        None,
    ],
)
def test_parts_that_a_model_is_not_sold_with_are_refused(part: object):
    with pytest.raises(Unsupported):
        shape_request(PLAIN, TERMS, chat(part), choices=1)


@pytest.mark.parametrize(
    "image",
    [
        {"url": "file:///etc/passwd"},
        {"url": "gs://bucket/huge.png"},
        {"url": 5},
        {},
        None,
        {"url": "https://a/b.png", "detail": "original"},
        {"url": "https://a/b.png", "max_pixels": 10**9},
    ],
)
def test_pictures_of_unknown_cost_are_refused(image: object):
    with pytest.raises(MalformedRequest):
        shape_request(SEES, TERMS, chat({"type": "image_url", "image_url": image}), choices=1)


@pytest.mark.parametrize("sound", [None, {"data": "AA", "format": "flac"}, {"format": "wav"}, {"id": "x"}])
def test_sound_of_unknown_cost_is_refused(sound: object):
    with pytest.raises(MalformedRequest):
        shape_request(HEARS, TERMS, chat({"type": "input_audio", "input_audio": sound}), choices=1)


def test_an_answer_may_be_sound_only_where_sound_is_sold():
    speak = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
    shaped = shape_request(HEARS, TERMS, chat(**speak), choices=1)
    assert Unit.AUDIO_OUTPUT_TOKEN not in shaped.most  # within the cap, at the dearest of what is put out
    for model, fields in (
        (PLAIN, speak),
        (HEARS, {"audio": {"voice": "alloy"}}),
        (HEARS, {"modalities": ["text"], "audio": {"voice": "alloy"}}),
        (HEARS, {"modalities": ["text", "image"]}),
        (HEARS, {"modalities": "audio"}),
        (HEARS, {"modalities": [["audio"]]}),
    ):
        with pytest.raises(MalformedRequest):
            shape_request(model, TERMS, chat(**fields), choices=1)


def test_cache_marks_pass_where_writing_to_the_cache_has_a_price():
    five = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    hour = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    sold = replace(PLAIN, units=TOKENS | {Unit.CACHE_WRITE_TOKEN})
    assert b"ephemeral" in shape_request(sold, TERMS, chat(five), choices=1).body
    with pytest.raises(Unsupported):
        shape_request(sold, TERMS, chat(hour), choices=1)
    both = replace(sold, units=sold.units | {"cache_write_token.1h"})
    assert b"1h" in shape_request(both, TERMS, chat(hour), choices=1).body


def responses(given: object, **fields: object) -> dict:
    return {"model": "acme/m", "input": given, **fields}


@given(texts=st.lists(st.text(max_size=80), min_size=1, max_size=5), pictures=st.integers(0, 3))
def test_no_response_has_more_input_than_the_bound(texts: list[str], pictures: int):
    parts = [{"type": "input_text", "text": text} for text in texts]
    parts += [{"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"}] * pictures
    shaped = shape_request(SEES, TERMS, responses([{"role": "user", "content": parts}]), choices=1)
    assert sum(len(text.encode()) for text in texts) + 1_500 * pictures + 12 <= shaped.most[Unit.INPUT_TOKEN]
    assert shaped.most[Unit.OUTPUT_TOKEN] == orjson.loads(shaped.body)["max_output_tokens"] == 900
    assert shaped.endpoint is Endpoint.RESPONSES


@pytest.mark.parametrize(
    "fields",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"background": True},
        {"tools": [{"type": "web_search"}]},
        {"include": ["file_search_call.results"]},
        {"tool_choice": {"type": "web_search_preview"}},
        {"tool_choice": {"type": ["function"]}},
        {"service_tier": "priority"},
        {"input": [{"type": "item_reference", "id": "msg_1"}]},
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file-1"}]}]},
        {"input": [{"role": "user", "content": 5}]},
        {"input": [{"id": "msg_1"}]},
        {"input": [{"id": "msg_1", "role": "assistant"}]},
        {"input": [{"id": "msg_1", "content": "a"}]},
        {"input": [{"type": "message", "id": "msg_1", "role": "assistant", "content": None}]},
        {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]},
        {"input": [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": ""}]},
        {"store": "yes"},
        {"input": [5]},
        {"input": []},
        {"input": [{"type": ["message"]}]},
        {"max_output_tokens": 901},
    ],
)
def test_responses_of_unknown_cost_are_refused(fields: dict):
    with pytest.raises(MalformedRequest):
        shape_request(SEES, TERMS, {**responses("a"), **fields}, choices=1, endpoint=Endpoint.RESPONSES)


def test_a_conversation_of_the_responses_api_passes():
    items = [
        {"type": "message", "role": "user", "content": "a"},
        {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": [{"type": "input_text", "text": "b"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "c", "annotations": []}]},
    ]
    tools = [{"type": "function", "name": "f", "parameters": {}, "strict": True}]
    shaped = shape_request(SEES, TERMS, responses(items, tools=tools), choices=1)
    assert shaped.most[Unit.INPUT_TOKEN] < 10**9
    hidden = [*items, {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "AA"}]
    assert shape_request(SEES, TERMS, responses(hidden), choices=1).most[Unit.INPUT_TOKEN] == 10**9


@pytest.mark.parametrize("asked", [{}, {"store": True}, {"store": None}, {"store": False}])
def test_no_response_is_kept_and_no_item_goes_by_what_the_provider_kept(asked: dict):
    items = [
        {"id": "msg_1", "role": "assistant", "content": "a"},
        {"id": "fc_1", "type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
        {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "AA"},
    ]
    sent = orjson.loads(shape_request(SEES, TERMS, responses(items, **asked), choices=1).body)
    assert sent["store"] is False
    assert sent["input"] == [{name: value for name, value in item.items() if name != "id"} for item in items]


def test_only_models_that_say_so_answer_at_a_second_endpoint():
    assert find_model({"acme/m": SEES}, {"model": "acme/m"}, Endpoint.RESPONSES) is SEES
    with pytest.raises(Unsupported):
        find_model({"acme/m": PLAIN}, {"model": "acme/m"}, Endpoint.RESPONSES)


PAINTS = replace(PLAIN, endpoint=Endpoint.IMAGES, units=frozenset({"image.1024x1024", "image.512x512"}))


@pytest.mark.parametrize(
    ("fields", "unit"),
    [
        ({"size": "512x512"}, "image.512x512"),
        ({"size": "1024x1024", "quality": "hd"}, "image.1024x1024"),  # its price does not depend on quality
        ({"n": 4, "size": "512x512"}, "image.512x512"),
    ],
)
def test_pictures_come_down_to_one_sku(fields: dict, unit: str):
    shaped = shape_request(PAINTS, TERMS, {"prompt": "a", **fields}, choices=4)
    assert shaped.most[unit] == fields.get("n", 1)
    assert shaped.variants == {"image": unit}


def test_pictures_sold_by_tokens_are_bounded_by_the_cap_of_each():
    tokens = frozenset({Unit.INPUT_TOKEN, Unit.IMAGE_INPUT_TOKEN, Unit.IMAGE_OUTPUT_TOKEN})
    shaped = shape_request(
        replace(PAINTS, units=tokens, max_output_tokens=6_240), TERMS, {"prompt": "a", "n": 3}, choices=4
    )
    assert (shaped.most[Unit.OUTPUT_TOKEN], shaped.most[Unit.IMAGE_INPUT_TOKEN]) == (3 * 6_240, 0)


@pytest.mark.parametrize(
    "fields",
    [{}, {"prompt": ""}, {"prompt": "a"}, {"prompt": "a", "size": 5}, {"prompt": "a", "n": 5, "size": "512x512"},
     {"prompt": "a", "size": "512x512", "partial_images": 3}, {"prompt": "a", "size": "512x512", "image": "x"}],
)  # fmt: skip
def test_pictures_of_unknown_price_are_refused(fields: dict):
    with pytest.raises(MalformedRequest):
        shape_request(PAINTS, TERMS, fields, choices=4)


def test_speech_is_sold_by_what_is_known_before_it_is_spoken():
    speaks = replace(PLAIN, endpoint=Endpoint.SPEECH, units=frozenset({Unit.CHARACTER}))
    assert shape_request(speaks, TERMS, {"input": "äb"}, choices=1).known == {"character": 2, "request": 1}
    by_tokens = shape_request(replace(speaks, units=TOKENS), TERMS, {"input": "a", "voice": "b"}, choices=1)
    assert orjson.loads(by_tokens.body)["stream_format"] == "sse"
    assert (by_tokens.most[Unit.OUTPUT_TOKEN], by_tokens.most[Unit.CHARACTER]) == (900, 1)
    for model, fields in (
        (replace(speaks, units=frozenset({Unit.SECOND})), {"input": "a"}),
        (speaks, {"input": ""}),
        (speaks, {"input": "a", "stream_format": "sse"}),
        (speaks, {"input": ["a"]}),
    ):
        with pytest.raises(MalformedRequest):
            shape_request(model, TERMS, fields, choices=1)


LISTENS = replace(PLAIN, endpoint=Endpoint.TRANSCRIPTION, units=frozenset({Unit.SECOND}), max_seconds=1_500)


def test_a_recording_is_held_for_as_the_longest_that_the_provider_takes():
    recording = Upload("../../etc/passwd", b"RIFF")
    shaped = shape_request(LISTENS, TERMS, {"file": recording, "prompt": "a"}, choices=1)
    assert shaped.most[Unit.SECOND] == 1_500
    assert b"passwd" not in shaped.body
    assert b'filename="recording.wav"' in shaped.body
    with pytest.raises(Unsupported):
        shape_request(replace(LISTENS, max_seconds=0), TERMS, {"file": recording}, choices=1)
    by_tokens = replace(LISTENS, units=TOKENS | {Unit.AUDIO_INPUT_TOKEN}, max_seconds=0, context_tokens=16_000)
    shaped = shape_request(by_tokens, TERMS, {"file": recording, "prompt": "a"}, choices=1)
    assert (shaped.most[Unit.AUDIO_INPUT_TOKEN], shaped.most[Unit.OUTPUT_TOKEN]) == (16_000, 900)
    assert shaped.most[Unit.INPUT_TOKEN] < 300


@pytest.mark.parametrize(
    "fields",
    [{}, {"file": "text"}, {"file": Upload("a", b"")}, {"file": Upload("a", b"x"), "prompt": Upload("b", b"x")}],
)
def test_recordings_that_are_none_are_refused(fields: dict):
    with pytest.raises(MalformedRequest):
        shape_request(LISTENS, TERMS, fields, choices=1)


NAMES = (
    "type", "text", "role", "content", "image_url", "url", "detail", "input_audio", "data", "format", "cache_control",
    "ttl", "function", "name", "summary", "encrypted_content", "output", "tool_calls", "id",
)  # fmt: skip
VALUES = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | st.text(max_size=3)
    | st.sampled_from(["text", "image_url", "input_image", "input_audio", "message", "reasoning", "function", "user",
                       "data:image/png;base64,AA", "https://a", "wav", "ephemeral", "auto", "1024x1024", "audio"])
)  # fmt: skip
ANYTHING = st.recursive(
    VALUES,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(NAMES), each, max_size=4),
    max_leaves=12,
)
EVERY = replace(
    HEARS,
    image_tokens=1_500,
    max_seconds=60,
    units=HEARS.units | {Unit.CACHE_WRITE_TOKEN, "image.1024x1024-low", Unit.SECOND},
    also=frozenset(Endpoint),
    inputs=frozenset({"text"}),
    counts=(("n", Unit.SECOND),),
)
SPOKEN = replace(EVERY, units=frozenset({Unit.CHARACTER}))
FIELDS = {
    Endpoint.CHAT: CHAT_FIELDS,
    Endpoint.RESPONSES: RESPONSES_FIELDS,
    Endpoint.EMBEDDINGS: EMBEDDING_FIELDS,
    Endpoint.MODERATION: MODERATION_FIELDS,
    Endpoint.IMAGES: IMAGE_FIELDS,
    Endpoint.SPEECH: SPEECH_FIELDS,
    Endpoint.TRANSCRIPTION: TRANSCRIPTION_FIELDS,
    Endpoint.VIDEOS: VIDEO_FIELDS,
    Endpoint.JOBS: JOB_FIELDS,
}


PARTS = st.lists(st.fixed_dictionaries({"type": VALUES}, optional=dict.fromkeys(NAMES[1:], ANYTHING)), max_size=2)
ITEMS = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool", "system"]), "content": PARTS | ANYTHING},
        optional={"tool_calls": ANYTHING, "tool_call_id": ANYTHING, "type": VALUES},
    ),
    min_size=1,
    max_size=3,
)
NEEDED = {
    Endpoint.CHAT: st.fixed_dictionaries({"messages": ITEMS}),
    Endpoint.RESPONSES: st.fixed_dictionaries({"input": ITEMS}),
    Endpoint.EMBEDDINGS: st.just({"input": "a"}),
    Endpoint.MODERATION: st.just({"input": ["a"]}),
    Endpoint.IMAGES: st.just({"prompt": "a", "size": "1024x1024"}),
    Endpoint.SPEECH: st.just({"input": "a"}),
    Endpoint.TRANSCRIPTION: st.just({"file": Upload("a.wav", b"RIFF")}),
    Endpoint.VIDEOS: st.just({"prompt": "a", "seconds": "8"}),
    Endpoint.JOBS: st.fixed_dictionaries(
        {"input": st.dictionaries(st.sampled_from(["n", "text"]), ANYTHING, max_size=2)}
    ),
}


@pytest.mark.parametrize("endpoint", Endpoint)
@given(data=st.data())
def test_whatever_is_asked_is_bounded_or_refused(endpoint: Endpoint, data: st.DataObject):
    values = ANYTHING | st.just(Upload("a.wav", b"RIFF")) if endpoint is Endpoint.TRANSCRIPTION else ANYTHING
    needed = data.draw(NEEDED[endpoint])
    fields = needed | data.draw(st.dictionaries(st.sampled_from(sorted(FIELDS[endpoint])), values, max_size=3))
    model = SPOKEN if endpoint is Endpoint.SPEECH else EVERY
    for wire in (OpenAIWire(), AnthropicWire(), GoogleWire()):
        try:
            shaped = shape_request(model, Terms(600, check=wire.check), fields, choices=4, endpoint=endpoint)
        except MalformedRequest:
            continue
        assert shaped.most[Unit.REQUEST] == 1
        assert all(bound >= 0 for bound in shaped.most.values())
        assert endpoint is not Endpoint.CHAT or wire.sent(endpoint, shaped.body).body
