"""Providers and the models they sell, as an operator writes them down.

The file is TOML or JSON; the same structure may come as JSON text in a setting::

    [[providers]]
    name = "acme"                       # model ids begin with it
    registry_id = 1                     # its number in the ProviderRegistry
    kind = "routed"                     # or "official"
    base_url = "https://api.acme.example/v1"
    api_key_env = "ACME_API_KEY"        # the name of the variable, never the key; left out for a local server

    [[providers.models]]
    id = "acme/small"
    upstream = "small-2026-05"          # the provider's own name; the part after the slash when left out
    endpoint = "chat"                   # or "embeddings"
    units = ["input_token", "output_token"]
    max_output_tokens = 4096
    context_tokens = 32768
    test = false                        # true for a stub: every person who sees the model is told

Optional for a provider: ``connect_seconds`` 5, ``first_byte_seconds`` 120, ``idle_seconds`` 60, ``total_seconds`` 600,
``max_answer_bytes`` 16 MiB, ``cap_field`` ``"max_tokens"`` (the field this upstream reads the output cap from),
``extra_fields`` ``[]`` (request fields beyond OpenAI's own that cannot raise what a request costs).
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.voucher import Kind
from mintery.errors import MalformedFile, SettingMissing


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One upstream. Times are seconds; ``api_key`` is None where the upstream asks for none."""

    name: str
    registry_id: int
    kind: Kind
    base_url: str
    models: tuple[Model, ...]
    api_key: str | None = field(default=None, repr=False)
    connect_seconds: float = 5
    first_byte_seconds: float = 120
    idle_seconds: float = 60
    total_seconds: int = 600
    max_answer_bytes: int = 16 * 1024 * 1024
    cap_field: str = "max_tokens"
    extra_fields: frozenset[str] = frozenset()


class _ModelIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[^\s/:]+/[^\s:]+$")
    upstream: str | None = None
    endpoint: Endpoint = Endpoint.CHAT
    units: frozenset[Unit] = Field(min_length=1)
    max_output_tokens: int = Field(ge=0)
    context_tokens: int = Field(ge=1)
    test: bool = False


class _ProviderIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[^\s/:]+$")
    registry_id: int = Field(ge=1)
    kind: Kind
    base_url: str = Field(pattern=r"^https?://")
    api_key_env: str | None = None
    connect_seconds: float = Field(default=5, gt=0)
    first_byte_seconds: float = Field(default=120, gt=0)
    idle_seconds: float = Field(default=60, gt=0)
    total_seconds: int = Field(default=600, ge=1)
    max_answer_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    cap_field: str = Field(default="max_tokens", pattern=r"^max_(completion_)?tokens$")
    extra_fields: frozenset[str] = frozenset()
    models: tuple[_ModelIn, ...] = Field(min_length=1)


class _FileIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    providers: tuple[_ProviderIn, ...] = Field(min_length=1)


def read_providers(path: Path, environment: Mapping[str, str]) -> tuple[ProviderConfig, ...]:
    """Read a ``.toml`` or ``.json`` file; ``environment`` holds the API keys that it names.

    Raises:
        MalformedFile, SettingMissing
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedFile(str(path), f"cannot be read: {error}") from None
    return parse_providers(text, environment, where=str(path), toml=path.suffix == ".toml")


def parse_providers(
    text: str, environment: Mapping[str, str], *, where: str = "providers", toml: bool = False
) -> tuple[ProviderConfig, ...]:
    """Read the structure above from text. ``where`` names it in errors.

    Raises:
        MalformedFile: it cannot be read, a field is wrong, or a name is there twice.
        SettingMissing: an API key that it names is not in ``environment``.
    """
    try:
        fields: Any = tomllib.loads(text) if toml else orjson.loads(text)
        file = _FileIn.model_validate(fields)
    except (tomllib.TOMLDecodeError, orjson.JSONDecodeError) as error:
        raise MalformedFile(where, str(error)) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise MalformedFile(where, f"{place}: {first['msg']}") from None
    configs = tuple(_config(provider, environment, where) for provider in file.providers)
    _refuse_doubles(configs, where)
    return configs


def models_of(configs: Iterable[ProviderConfig]) -> dict[str, Model]:
    """Every model by its id."""
    return {model.id: model for config in configs for model in config.models}


def _config(provider: _ProviderIn, environment: Mapping[str, str], where: str) -> ProviderConfig:
    api_key = None
    if provider.api_key_env is not None and not (api_key := environment.get(provider.api_key_env)):
        raise SettingMissing(provider.api_key_env, f"{where} names it as the API key of {provider.name}")
    return ProviderConfig(
        **provider.model_dump(exclude={"api_key_env", "models", "base_url"}),
        base_url=provider.base_url.rstrip("/"),
        api_key=api_key,
        models=tuple(_model(model, provider, where) for model in provider.models),
    )


def _model(model: _ModelIn, provider: _ProviderIn, where: str) -> Model:
    prefix, _, name = model.id.partition("/")
    if prefix != provider.name:
        raise MalformedFile(where, f"model {model.id} must begin with {provider.name}/")
    return Model(
        **model.model_dump(exclude={"upstream"}),
        upstream=model.upstream or name,
        provider=provider.name,
        provider_id=provider.registry_id,
        kind=provider.kind,
    )


def _refuse_doubles(configs: tuple[ProviderConfig, ...], where: str) -> None:
    names = [config.name for config in configs]
    ids = [model.id for config in configs for model in config.models]
    for name in (*names, *ids):
        if names.count(name) + ids.count(name) > 1:
            raise MalformedFile(where, f"{name} is there twice")
