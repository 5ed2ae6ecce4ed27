"""Usage of every shape comes out as quantities that add up to what the provider said, each token once."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.long_job import LONG_FORMS
from mintery.domain.model import Endpoint, Unit
from mintery.errors import ProviderNonsense
from mintery.providers.reading import is_ended, produced_by, read_reply, read_response_event
from mintery.providers.usage import read_images_usage, read_responses_usage, read_transcription_usage, read_usage

COUNTS = st.integers(0, 10_000)
INPUTS = {
    Unit.INPUT_TOKEN,
    Unit.CACHED_INPUT_TOKEN,
    Unit.CACHE_WRITE_TOKEN,
    Unit.AUDIO_INPUT_TOKEN,
    Unit.IMAGE_INPUT_TOKEN,
}
PARTS = st.fixed_dictionaries({}, optional={"cached_tokens": COUNTS, "audio_tokens": COUNTS, "image_tokens": COUNTS})


@given(prompt=COUNTS, completion=COUNTS, of_prompt=PARTS, reasoning=COUNTS, beside=st.booleans())
def test_each_token_is_counted_once(prompt: int, completion: int, of_prompt: dict, reasoning: int, beside: bool):
    of_completion = {"reasoning_tokens": reasoning}
    total = prompt + completion + (reasoning if beside else 0)
    fields = {
        "prompt_tokens": prompt,
        "prompt_tokens_details": of_prompt,
        "completion_tokens": completion,
        "completion_tokens_details": of_completion,
        "total_tokens": total,
    }
    usage = read_usage(fields)
    assert usage is not None
    assert sum(usage.values()) == total
    assert sum(each for unit, each in usage.items() if unit in INPUTS) == prompt
    asked = {"input_tokens": prompt, "input_tokens_details": of_prompt, "output_tokens": completion}
    assert read_responses_usage({**asked, "output_tokens_details": of_completion, "total_tokens": total}) == usage


@pytest.mark.parametrize("details", [None, {}, {"audio_tokens": 2}, {"cached_tokens": 0}, {"cached_tokens": None}])
@pytest.mark.parametrize("name", ["prompt_cache_hit_tokens", "cached_tokens", "cached_prompt_text_tokens"])
def test_cached_tokens_are_read_beside_details_that_do_not_name_them(name: str, details: dict | None):
    usage = read_usage({"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": details, name: 7})

    sound = (details or {}).get("audio_tokens", 0)
    assert usage is not None
    assert (usage[Unit.CACHED_INPUT_TOKEN], usage[Unit.INPUT_TOKEN]) == (7, 3 - sound)


def test_a_cached_picture_counts_as_cached():
    details = {"cached_tokens": 950, "image_tokens": 900}
    usage = read_usage({"prompt_tokens": 1_000, "completion_tokens": 0, "prompt_tokens_details": details})
    assert usage == {"input_token": 0, "cached_input_token": 950, "image_input_token": 50, "output_token": 0}


def test_parts_that_contradict_their_whole_stand_out():
    for details in ({"cached_tokens": 11}, {"audio_tokens": 6, "image_tokens": 6}, {"cached_tokens": -1}):
        usage = read_usage({"prompt_tokens": 10, "completion_tokens": 0, "prompt_tokens_details": details})
        assert usage is not None
        assert min(usage.values()) < 0


@pytest.mark.parametrize("strange", [1.5, "3", True, [], {"a": 1}, 10.0])
def test_what_is_no_whole_number_is_no_usage(strange: object):
    whole = {"prompt_tokens": 10, "completion_tokens": 3}
    for fields in (
        {**whole, "prompt_tokens": strange},
        {**whole, "completion_tokens": strange or 0.5},
        {**whole, "prompt_tokens_details": {"cached_tokens": strange or 0.5}},
        {**whole, "completion_tokens_details": {"reasoning_tokens": strange or 0.5}},
    ):
        assert read_usage(fields) is None
    assert read_responses_usage({"input_tokens": strange, "output_tokens": 1}) is None


def test_pictures_put_out_are_pictures_unless_the_details_say_otherwise():
    plain = {"input_tokens": 20, "output_tokens": 4_160, "input_tokens_details": {"text_tokens": 12, "image_tokens": 8}}
    assert read_images_usage(plain) == {"input_token": 12, "image_input_token": 8, "image_output_token": 4_160}
    told = {**plain, "output_tokens_details": {"text_tokens": 160, "image_tokens": 4_000}}
    assert read_images_usage(told) == {
        "input_token": 12, "image_input_token": 8, "output_token": 160, "image_output_token": 4_000,
    }  # fmt: skip


def test_pictures_told_in_part_are_added_to_what_is_left():
    fields = {"input_tokens": 20, "output_tokens": 1_000, "output_tokens_details": {"image_tokens": 900}}
    assert read_images_usage(fields) == {"input_token": 20, "image_output_token": 1_000}
    contradicted = read_images_usage({**fields, "output_tokens_details": {"image_tokens": 1_100}})
    assert contradicted is not None
    assert min(contradicted.values()) == -100


@pytest.mark.parametrize("told", [{}, {"completion_tokens": None}])
def test_only_an_answer_that_says_nothing_may_leave_its_completion_out(told: dict):
    usage = {"prompt_tokens": 10, **told}
    chat = read_reply(
        "acme", Endpoint.CHAT, orjson.dumps({"choices": [{"message": {"content": "abc"}}], "usage": usage})
    )
    assert (chat.usage, chat.produced) == (None, 3)
    for endpoint, name in ((Endpoint.EMBEDDINGS, "data"), (Endpoint.MODERATION, "results")):
        reply = read_reply("acme", endpoint, orjson.dumps({name: [], "usage": usage}))
        assert reply.usage == {"input_token": 10, "output_token": 0}


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        ({"usage": {"type": "duration", "seconds": 9}}, {"second": 9}),
        ({"duration": 8.47}, {"second": 9}),
        ({"duration": 9}, {"second": 9}),
        ({"duration": -1.5}, {"second": -1}),
        ({"duration": float("inf")}, None),
        ({"duration": "9"}, None),
        ({"usage": {"seconds": True}}, None),
        ({}, None),
        (
            {"usage": {"type": "tokens", "input_tokens": 14, "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
                       "output_tokens": 45, "total_tokens": 59}},
            {"input_token": 4, "audio_input_token": 10, "output_token": 45},
        ),
    ],
)  # fmt: skip
def test_transcriptions(answer: dict, usage: dict | None):
    assert read_transcription_usage(answer) == usage


@pytest.mark.parametrize("endpoint", [each for each in Endpoint if each not in {Endpoint.SPEECH, *LONG_FORMS}])
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"data":1,"choices":{},"output":"a","results":0}'])
def test_nonsense_is_told_at_every_endpoint(endpoint: Endpoint, body: bytes):
    with pytest.raises(ProviderNonsense):
        read_reply("acme", endpoint, body)


@pytest.mark.parametrize(("body", "content_type"), [(b"", "audio/mpeg"), (b'{"error":{}}', "application/json")])
def test_sound_is_sound(body: bytes, content_type: str):
    with pytest.raises(ProviderNonsense):
        read_reply("acme", Endpoint.SPEECH, body, content_type)
    assert read_reply("acme", Endpoint.SPEECH, b"\x00\xff", "audio/mpeg").content_type == "audio/mpeg"


def test_sound_that_comes_as_events_is_sound():
    def event(fields: dict) -> bytes:
        return b"data: " + orjson.dumps(fields) + b"\n\n"

    deltas = b"".join(event({"type": "speech.audio.delta", "audio": each}) for each in ("AAEC", "/w=="))
    done = event({"type": "speech.audio.done", "usage": {"input_tokens": 9, "output_tokens": 40, "total_tokens": 49}})
    reply = read_reply("acme", Endpoint.SPEECH, deltas + done, "text/event-stream")
    assert (reply.body, reply.usage) == (b"\x00\x01\x02\xff", {"input_token": 9, "output_token": 40})
    assert reply.content_type == "application/octet-stream"
    wrong = event({"type": "speech.audio.delta", "audio": "A!"})
    for broken in (deltas, done, wrong + done, deltas + event({"type": "error"}), b"data: x\n\n", event({"audio": 5})):
        with pytest.raises(ProviderNonsense):
            read_reply("acme", Endpoint.SPEECH, broken, "text/event-stream")


def test_events_of_a_response():
    delta = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"\xc3\xa4b"}\n\n'
    done = (
        b'event: response.completed\ndata: {"type":"response.completed","response":'
        b'{"usage":{"input_tokens":5,"output_tokens":2,"total_tokens":7}}}\n\n'
    )
    assert read_response_event("acme", delta).usage is None
    assert produced_by(delta + done) == 3
    last = read_response_event("acme", done)
    assert (last.last, last.usage) == (True, {"input_token": 5, "output_token": 2})
    assert is_ended(delta + done)
    assert not is_ended(delta)
    assert not is_ended(done + delta)
    for broken in (
        b'data: {"type":"response.failed"}\n\n',
        b'data: {"type":"error"}\n\n',
        b"data: {}\n\n",
        b"data: x\n\n",
    ):
        with pytest.raises(ProviderNonsense):
            read_response_event("acme", broken)
