"""Replies in the shapes that providers send, from their bytes to the charge, against an independent calculation.

genai-prices reads the same answers with code of its own, and adds up in decimal dollars; Mintery must come to the same sum
to the last 1e-18 USD. Where genai-prices cannot read a shape, the table says what was used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import genai_prices
import orjson
import pytest
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.observation import SourcePrice
from mintery.domain.price import FreshnessLimits, PriceInForce, Sku
from mintery.domain.quote import UsageSource, quote, tariff_of
from mintery.domain.voucher import Kind
from mintery.providers.calls import Usage
from mintery.providers.openai_compatible import WIRES
from mintery.providers.price_lists_genai import GenaiPrices
from mintery.providers.sse import EventSplitter, event_payload
from mintery.units import BasisPoints, Par, UnixSeconds, usd_of_nanocredits_down
from mintery.usecases.meter_usage import Metered, meter_usage
from mintery.usecases.shaped import ShapedRequest

SAMPLES = Path(__file__).parents[1] / "providers" / "samples"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TEXT = (Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN)
CACHED = (*TEXT, Unit.CACHED_INPUT_TOKEN)
WRITTEN = (*CACHED, Unit.CACHE_WRITE_TOKEN)
HOUR = (*WRITTEN, "cache_write_token.1h")
HEARD = (Unit.AUDIO_INPUT_TOKEN, Unit.CACHED_AUDIO_TOKEN)
ROOM = 10**7


@dataclass(frozen=True)
class Paid:
    """One request: the sample that answers it, whose model it is, and the units that the model is sold by.

    ``flavor`` is genai-prices' own name of the shape; ``used`` stands in where it has none.
    """

    sample: str
    provider: str
    model: str
    units: tuple[str, ...]
    flavor: str = "chat"
    wire: str = "openai"
    endpoint: Endpoint = Endpoint.CHAT
    tiers: tuple[int, ...] = ()
    used: Mapping[str, int] = field(default_factory=dict)
    known: Mapping[str, int] = field(default_factory=dict)


def google(sample: str, model: str, *units: str, tiers: tuple[int, ...] = ()) -> Paid:
    return Paid(sample, "google", model, units, "default", "google", tiers=tiers)


def anthropic(sample: str, model: str, *units: str, tiers: tuple[int, ...] = ()) -> Paid:
    return Paid(sample, "anthropic", model, units, "default", "anthropic", tiers=tiers)


def openai(sample: str, model: str, *units: str, endpoint: Endpoint, flavor: str = "", **more: Any) -> Paid:
    return Paid(sample, "openai", model, units, flavor or endpoint.value, endpoint=endpoint, **more)


PAID = (
    Paid("openai-chat.json", "openai", "gpt-4o-mini", CACHED),
    Paid("openai-chat-cached.json", "openai", "gpt-5", CACHED),
    Paid("openai-chat-reasoning.json", "openai", "o4-mini", CACHED),
    Paid("openai-chat-vision.json", "openai", "gpt-4o", CACHED),
    Paid("openai-chat-several.json", "openai", "gpt-4.1", CACHED),
    Paid("openai-chat-audio.json", "openai", "gpt-audio", (*TEXT, Unit.AUDIO_INPUT_TOKEN, Unit.AUDIO_OUTPUT_TOKEN)),
    Paid("openai-chat-tier.json", "openai", "gpt-5.4", CACHED, tiers=(272_000,)),
    Paid("openai-chat-tools.sse", "openai", "gpt-5-mini", CACHED),
    Paid("openai-chat-stream.sse", "openai", "gpt-4.1-mini", CACHED),
    openai("openai-responses.json", "gpt-5.1", *CACHED, endpoint=Endpoint.RESPONSES),
    openai("openai-responses-stream.sse", "gpt-5-nano", *CACHED, endpoint=Endpoint.RESPONSES),
    openai("openai-responses-incomplete.sse", "gpt-4o-mini", *CACHED, endpoint=Endpoint.RESPONSES),
    openai("openai-embeddings.json", "text-embedding-3-small", Unit.INPUT_TOKEN, endpoint=Endpoint.EMBEDDINGS),
    openai("openai-embeddings-base64.json", "text-embedding-3-large", Unit.INPUT_TOKEN, endpoint=Endpoint.EMBEDDINGS),
    openai("openai-images.json", "gpt-image-1", *TEXT, Unit.IMAGE_INPUT_TOKEN, endpoint=Endpoint.IMAGES),
    openai(
        "openai-images-edited.json",
        "gpt-image-1.5",
        *TEXT,
        Unit.IMAGE_INPUT_TOKEN,
        Unit.IMAGE_OUTPUT_TOKEN,
        endpoint=Endpoint.IMAGES,
    ),
    openai(
        "openai-transcription-tokens.json",
        "gpt-4o-transcribe",
        *TEXT,
        Unit.AUDIO_INPUT_TOKEN,
        endpoint=Endpoint.TRANSCRIPTION,
        used={"input_tokens": 326, "input_audio_tokens": 312, "output_tokens": 45},
    ),
    openai(
        "openai-transcription-seconds.json",
        "whisper-1",
        Unit.SECOND,
        endpoint=Endpoint.TRANSCRIPTION,
        used={"audio_seconds": 94, "input_audio_seconds": 94},
    ),
    openai(
        "openai-transcription-verbose.json",
        "gpt-transcribe",
        Unit.SECOND,
        endpoint=Endpoint.TRANSCRIPTION,
        used={"audio_seconds": 9, "input_audio_seconds": 9},
    ),
    openai(
        "speech",
        "tts-1",
        Unit.CHARACTER,
        endpoint=Endpoint.SPEECH,
        used={"input_characters": 4_096},
        known={Unit.CHARACTER: 4_096},
    ),
    openai(
        "speech",
        "tts-1-hd",
        Unit.CHARACTER,
        endpoint=Endpoint.SPEECH,
        used={"input_characters": 17},
        known={Unit.CHARACTER: 17},
    ),
    openai(
        "openai-speech-tokens.sse",
        "gpt-4o-mini-tts",
        *TEXT,
        endpoint=Endpoint.SPEECH,
        used={"input_tokens": 14, "output_tokens": 101},
    ),
    anthropic("anthropic-messages.json", "claude-sonnet-4-5", *HOUR, tiers=(200_000,)),
    anthropic("anthropic-cache-written.json", "claude-haiku-4-5", *HOUR),
    anthropic("anthropic-cache-read.json", "claude-opus-4-5", *WRITTEN),
    anthropic("anthropic-cache-hour.json", "claude-opus-4-1", *HOUR),
    anthropic("anthropic-long.json", "claude-sonnet-4-5", *HOUR, tiers=(200_000,)),
    anthropic("anthropic-tools.json", "claude-sonnet-5", *WRITTEN),
    anthropic("anthropic-tools-stream.sse", "claude-sonnet-4-0", *WRITTEN),
    anthropic("anthropic-thinking-stream.sse", "claude-opus-4-1", *HOUR),
    google("google-thoughts.json", "gemini-2.5-flash", *CACHED, *HEARD),
    google("google-cached.json", "gemini-2.5-flash-lite", *CACHED, *HEARD),
    google("google-audio.json", "gemini-2.5-flash", *CACHED, *HEARD),
    google("google-vision.json", "gemini-2.0-flash", *CACHED, *HEARD),
    google("google-images.json", "gemini-2.5-flash-image", *TEXT, Unit.IMAGE_OUTPUT_TOKEN),
    google("google-long.json", "gemini-2.5-pro", *CACHED, tiers=(200_000,)),
    google("google-blocked.json", "gemini-2.5-flash", *CACHED, *HEARD),
    google("google-stream.sse", "gemini-2.5-pro", *CACHED, tiers=(200_000,)),
    google("google-tools-stream.sse", "gemini-2.5-pro", *CACHED, tiers=(200_000,)),
    Paid("deepseek-chat.json", "deepseek", "deepseek-v3.1-terminus", CACHED),
    Paid("xai-reasoning.json", "x-ai", "grok-3-mini", CACHED),
    Paid("mistral-chat.json", "mistral", "mistral-large-2512", CACHED, "default"),
    Paid("groq-chat.json", "groq", "llama-3.3-70b-versatile", TEXT, "default"),
    Paid("moonshot-chat.json", "moonshotai", "kimi-k2-thinking", CACHED),
    Paid("perplexity-sonar.json", "perplexity", "sonar", (*TEXT, Unit.REQUEST), "default"),
    Paid(
        "together-chat.json",
        "together",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        TEXT,
        used={"input_tokens": 40, "output_tokens": 120},
    ),
    Paid("cerebras-chat.json", "cerebras", "gpt-oss-120b", TEXT),
    Paid("fireworks-chat.json", "fireworks", "deepseek-v3p2", CACHED),
)


def reported(paid: Paid) -> Usage | None:
    """What Mintery reads from the sample's bytes, through the wire that the provider speaks."""
    if paid.known:
        return None  # sound alone says nothing
    wire, raw = WIRES[paid.wire](), (SAMPLES / paid.sample).read_bytes()
    if paid.endpoint is Endpoint.SPEECH:
        return wire.read("acme", paid.endpoint, raw, "text/event-stream").usage
    if paid.sample.endswith(".json"):
        return wire.read("acme", paid.endpoint, raw, "application/json").usage
    reader, splitter = wire.events("acme", paid.endpoint), EventSplitter(10**6)
    events = [event for piece in splitter.feed(raw) for event in reader.read(piece)]
    if not events[-1].last:
        events += reader.finish()
    assert events[-1].last
    told = [event.usage for event in events if event.usage is not None]
    assert len(told) == 1
    return told[0]


def charged(paid: Paid, usage: Usage | None, *, par: int = 10**3) -> Metered:
    """What Mintery charges at genai-prices' prices, in a hold with room for all."""
    name = f"{paid.provider}/{paid.model}"
    units = frozenset(str(unit) for unit in paid.units)
    model = Model(name, paid.model, paid.provider, 1, Kind.OFFICIAL, paid.endpoint, units, ROOM, ROOM, tiers=paid.tiers)
    lists, prices = GenaiPrices({name: model}), {}
    for index, sku in enumerate(model.skus):
        answer = lists.price_of(str(sku), NOON)
        assert isinstance(answer, SourcePrice), answer
        prices[sku] = PriceInForce(sku, index, 1, answer.usd, UnixSeconds(int(NOON.timestamp())), False)
    most = {
        Unit.INPUT_TOKEN: ROOM,
        Unit.OUTPUT_TOKEN: ROOM,
        Unit.SECOND: ROOM,
        Unit.IMAGE: 16,
        **paid.known,
        Unit.REQUEST: 1,
    }
    request = ShapedRequest(paid.endpoint, model, b"", False, True, most, known=paid.known)
    held = quote(
        tariff_of(model, prices),
        request.most,
        par=Par(par),
        markup=BasisPoints(0),
        now=UnixSeconds(int(NOON.timestamp())),
        limits=FreshnessLimits(),
    )
    metered = meter_usage(held, request, usage, 0)
    assert metered.cost <= held.amount
    return metered


def independent(paid: Paid) -> Decimal:
    """genai-prices alone, from bytes to dollars."""
    provider = next(each for each in get_snapshot().providers if each.id == paid.provider)
    model = next(each for each in provider.models if each.id == paid.model)
    if paid.used:
        usage = genai_prices.Usage(**paid.used)
    else:
        _, usage = provider.extract_usage(whole_answer(paid), api_flavor=paid.flavor)
    return model.calc_price(usage, provider, genai_request_timestamp=NOON).total_price


def whole_answer(paid: Paid) -> Any:
    """What a stream comes to, put together without our own readers."""
    raw = (SAMPLES / paid.sample).read_bytes()
    if paid.sample.endswith(".json"):
        return orjson.loads(raw)
    told = [orjson.loads(line[6:]) for line in raw.splitlines() if line.startswith(b"data: {")]
    if paid.wire == "anthropic":
        closing = next(event for event in told if event["type"] == "message_delta")
        return {**told[0]["message"], "usage": {**told[0]["message"]["usage"], **closing["usage"]}}
    return told[-1].get("response", told[-1])


@pytest.mark.parametrize("paid", PAID, ids=lambda paid: f"{paid.model}-{paid.sample}")
def test_the_charge_is_what_an_independent_calculation_comes_to(paid: Paid):
    usage = reported(paid)
    metered = charged(paid, usage)

    dollars = independent(paid)
    assert Decimal(sum(line.cost for line in metered.lines)) == dollars * 10**18
    assert dollars > 0
    assert metered.source is (UsageSource.COUNTED if paid.known else UsageSource.PROVIDER)
    over = usd_of_nanocredits_down(metered.cost, Par(10**3)) - int(dollars * 10**18)
    assert 0 <= over < 10**6  # rounded up once, to one nanocredit


def test_the_table_is_long_enough_and_uses_every_sample_that_costs():
    assert len(PAID) >= 30
    assert len({(paid.provider, paid.model) for paid in PAID}) >= 30
    free = {"openai-moderation.json", "README.md"}
    assert {path.name for path in SAMPLES.iterdir()} - free == {paid.sample for paid in PAID} - {"speech"}


STREAMS = [paid for paid in PAID if paid.sample.endswith(".sse") and paid.endpoint is not Endpoint.SPEECH]


@pytest.mark.parametrize("paid", STREAMS, ids=lambda paid: paid.sample)
@given(cut=st.integers(1, 400))
def test_a_stream_that_breaks_anywhere_has_no_clean_end(paid: Paid, cut: int):
    raw = (SAMPLES / paid.sample).read_bytes()
    end = raw[: -min(cut, len(raw) - 1)]
    wire = WIRES[paid.wire]()
    reader, splitter = wire.events("acme", paid.endpoint), EventSplitter(10**6)
    events = [event for piece in splitter.feed(end) for event in reader.read(piece)]
    assert not any(event.last for event in events)


@pytest.mark.parametrize("paid", STREAMS, ids=lambda paid: paid.sample)
def test_pieces_of_any_size_say_the_same(paid: Paid):
    raw = (SAMPLES / paid.sample).read_bytes()
    wire = WIRES[paid.wire]()
    for size in (1, 7, 64, len(raw)):
        reader, splitter = wire.events("acme", paid.endpoint), EventSplitter(10**6)
        events = [
            event
            for start in range(0, len(raw), size)
            for piece in splitter.feed(raw[start : start + size])
            for event in reader.read(piece)
        ]
        if not events[-1].last:
            events += reader.finish()
        assert next(event.usage for event in events if event.usage is not None) == reported(paid)


def test_a_judgement_without_usage_is_a_request():
    paid = openai("openai-moderation.json", "omni-moderation", Unit.REQUEST, endpoint=Endpoint.MODERATION)
    assert reported(paid) is None


def test_every_sku_of_the_table_is_a_name_that_the_oracle_can_carry():
    for paid in PAID:
        for unit in paid.units:
            sku = f"{paid.provider}/{paid.model}:{unit}"
            assert str(Sku.parse(sku)) == sku


def test_events_of_the_samples_are_events():
    for paid in STREAMS:
        pieces = EventSplitter(10**6).feed((SAMPLES / paid.sample).read_bytes())
        assert all(event_payload(piece) for piece in pieces)
