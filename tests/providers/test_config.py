from pathlib import Path

import orjson
import pytest

from mintery.domain.model import Endpoint, Unit
from mintery.domain.voucher import Kind
from mintery.errors import MalformedFile, SettingMissing
from mintery.providers.config import models_of, parse_providers, read_providers, read_sellers

TOML = """
[[providers]]
name = "acme"
registry_id = 3
kind = "routed"
base_url = "https://api.acme.example/v1/"
api_key_env = "ACME_API_KEY"
idle_seconds = 7.5
cap_field = "max_completion_tokens"
extra_fields = ["guided_json"]

[[providers.models]]
id = "acme/small"
upstream = "small-2026"
units = ["input_token", "output_token"]
max_output_tokens = 100
context_tokens = 1000

[[providers.models]]
id = "acme/vectors"
endpoint = "embeddings"
units = ["input_token"]
max_output_tokens = 0
context_tokens = 500
"""
KEYS = {"ACME_API_KEY": "sk-very-secret"}


def plain() -> dict:
    model = {"id": "acme/small", "units": ["input_token"], "max_output_tokens": 1, "context_tokens": 10}
    provider = {"name": "acme", "registry_id": 3, "kind": "routed", "base_url": "http://localhost:1", "models": [model]}
    return {"providers": [provider]}


def test_a_file_is_read_with_its_keys_from_the_environment(tmp_path: Path):
    path = tmp_path / "providers.toml"
    path.write_text(TOML)

    [acme] = read_providers(path, KEYS)

    assert (acme.name, acme.registry_id, acme.kind, acme.base_url) == (
        "acme",
        3,
        Kind.ROUTED,
        "https://api.acme.example/v1",
    )
    assert (acme.api_key, acme.idle_seconds, acme.cap_field) == ("sk-very-secret", 7.5, "max_completion_tokens")
    assert acme.extra_fields == {"guided_json"}
    small, vectors = models_of([acme]).values()
    assert (small.upstream, small.provider_id, small.endpoint) == ("small-2026", 3, Endpoint.CHAT)
    assert (vectors.upstream, vectors.endpoint, vectors.units) == ("vectors", Endpoint.EMBEDDINGS, {Unit.INPUT_TOKEN})
    assert "secret" not in repr(acme)


def test_json_text_says_the_same():
    [acme] = parse_providers(orjson.dumps(plain()).decode(), {})
    assert acme.api_key is None


def test_a_key_that_is_not_set(tmp_path: Path):
    path = tmp_path / "providers.toml"
    path.write_text(TOML)
    with pytest.raises(SettingMissing) as missing:
        read_providers(path, {"ACME_API_KEY": ""})
    assert missing.value.name == "ACME_API_KEY"


def wrong(**fields: object) -> str:
    content = plain()
    content["providers"][0] |= fields
    return orjson.dumps(content).decode()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        wrong(kind="own"),
        wrong(base_url="ftp://x"),
        wrong(api_key="sk-in-the-file"),
        wrong(cap_field="n"),
        wrong(models=[]),
        wrong(models=[plain()["providers"][0]["models"][0] | {"id": "other/small"}]),
        wrong(models=plain()["providers"][0]["models"] * 2),
        orjson.dumps({"providers": plain()["providers"] * 2}).decode(),
        wrong(models=[plain()["providers"][0]["models"][0] | {"id": id_} for id_ in ("acme/small", "acme/Small")]),
    ],
)
def test_mistakes_name_the_file(text: str):
    with pytest.raises(MalformedFile) as mistake:
        parse_providers(text, {}, where="here.json")
    assert mistake.value.path == "here.json"
    assert "sk-in-the-file" not in str(mistake.value)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(MalformedFile):
        read_providers(tmp_path / "none.toml", {})


def a_model(**fields: object) -> str:
    return wrong(models=[plain()["providers"][0]["models"][0] | fields])


NIGHT = {"name": "night", "from": "22:00", "until": "06:00"}


def test_tiers_and_windows_are_skus_of_their_own():
    [config] = parse_providers(a_model(units=["output_token", "request"], tiers=[1_000], windows=[NIGHT]), {})
    assert [str(sku).rpartition(":")[2] for sku in config.models[0].skus] == [
        "output_token",
        "output_token.above_1000",
        "output_token.night",
        "output_token.night.above_1000",
        "request",
        "request.night",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"tiers": [2, 1]},
        {"tiers": [1, 1]},
        {"tiers": [0]},
        {"windows": [NIGHT, NIGHT]},
        {"windows": [NIGHT | {"until": "22:00"}]},
        {"windows": [NIGHT | {"until": "7"}]},
        {"windows": [NIGHT, {"name": "day", "from": "06:00", "until": "22:00"}]},
        {"units": ["input_token.above_5"]},
        {"units": ["image.night"], "windows": [NIGHT]},
    ],
)
def test_tiers_and_windows_that_are_none(fields: dict[str, object]):
    with pytest.raises(MalformedFile):
        parse_providers(a_model(**fields), {})


def test_models_are_declared_without_the_keys(tmp_path: Path):
    path = tmp_path / "providers.toml"
    path.write_text(TOML)
    with pytest.raises(SettingMissing):
        read_providers(path, {})
    assert list(models_of(read_sellers(path))) == ["acme/small", "acme/vectors"]


def test_what_routing_goes_by():
    file = plain()
    file["providers"][0] |= {"resale": False}
    file["providers"][0]["models"][0] |= {"serves": "small", "quality": 870}

    [config] = parse_providers(orjson.dumps(file).decode(), {})

    [model] = config.models
    assert (model.serves, model.quality, model.sold_on) == ("small", 870, False)
    file["providers"][0]["kind"] = "official"
    [config] = parse_providers(orjson.dumps(file).decode(), {})
    assert config.models[0].sold_on


@pytest.mark.parametrize("serves", ["acme/small", "cheapest", "ACME/Small", "Cheapest"])
def test_a_shared_name_is_no_routes_and_no_intents(serves: str):
    file = plain()
    file["providers"][0]["models"][0]["serves"] = serves

    with pytest.raises(MalformedFile, match="names something else"):
        parse_providers(orjson.dumps(file).decode(), {})


def one_model(**fields: object) -> dict:
    file = plain()
    file["providers"][0]["models"][0] |= fields
    return file


def test_what_a_model_takes_and_answers_at_is_read():
    fields = {"also": ["responses"], "image_tokens": 1_500, "audio_tokens": 4_000, "max_seconds": 60}
    units = ["input_token", "cache_write_token.1h", "image.1024x1024-high", "image.512x512", "request"]
    [acme] = parse_providers(orjson.dumps(one_model(**fields, units=units)).decode(), {})
    [model] = acme.models
    assert (model.also, model.image_tokens, model.audio_tokens, model.max_seconds) == (
        {Endpoint.RESPONSES}, 1_500, 4_000, 60,
    )  # fmt: skip
    assert model.units == set(units)


@pytest.mark.parametrize(
    "units",
    [
        ["input_tokens"], ["input_token.foo"], ["image."], ["image.1024x1024-high-hd"], ["image.1024:1024"], ["second.long"],
        ["cached_input_token"], ["input_token", "reasoning_token"], ["cached_audio_token", "audio_input_token"],
        ["cache_write_token.1h", "output_token"],
    ],
)  # fmt: skip
def test_units_that_would_leave_something_for_nothing_are_refused(units: list[str]):
    with pytest.raises(MalformedFile):
        parse_providers(orjson.dumps(one_model(units=units)).decode(), {})


@pytest.mark.parametrize("wire", ["anthropic", "google"])
def test_a_wire_of_its_own_carries_chats_alone(wire: str):
    file = plain()
    file["providers"][0]["wire"] = wire
    [acme] = parse_providers(orjson.dumps(file).decode(), {})
    assert acme.wire == wire
    for fields in ({"endpoint": "embeddings"}, {"also": ["responses"]}):
        file["providers"][0]["models"][0] |= fields
        with pytest.raises(MalformedFile):
            parse_providers(orjson.dumps(file).decode(), {})


def test_an_unknown_wire_is_refused():
    file = plain()
    file["providers"][0]["wire"] = "smoke"
    with pytest.raises(MalformedFile):
        parse_providers(orjson.dumps(file).decode(), {})


@pytest.mark.parametrize(
    "fields",
    [
        {"units": ["second"]},
        {"units": ["image.1024x1024"]},
        {"endpoint": "embeddings", "units": ["output_token"]},
        {"endpoint": "images", "units": ["character"]},
        {"endpoint": "speech", "units": ["character"], "also": ["chat"]},
    ],
)
def test_a_model_that_would_cost_nothing_is_refused(fields: dict[str, object]):
    with pytest.raises(MalformedFile, match="cost nothing"):
        parse_providers(a_model(**fields), {})
