"""The form of a providers file: its fields, and what each may be. ``config`` says what they mean."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mintery.domain.model import Endpoint, Unit
from mintery.domain.voucher import Kind
from mintery.errors import MalformedFile
from mintery.providers.job_config import JobFormIn
from mintery.providers.offers import GatewayIn
from mintery.providers.sold_units import SoldUnits


class WindowIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=40)
    start: str = Field(alias="from")
    end: str = Field(alias="until")


class ModelIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[^\s/:]+/[^\s:]+$")
    upstream: str | None = None
    endpoint: Endpoint = Endpoint.CHAT
    units: SoldUnits = Field(min_length=1)
    max_output_tokens: int = Field(ge=0)
    context_tokens: int = Field(ge=1)
    test: bool = False
    tiers: tuple[Annotated[int, Field(ge=1, lt=10**18)], ...] = ()
    windows: tuple[WindowIn, ...] = ()
    serves: str = Field(default="", pattern=r"^[^\s:]*$", max_length=120)
    quality: int = Field(default=500, ge=0, le=1_000)
    also: frozenset[Endpoint] = frozenset()
    image_tokens: int = Field(default=0, ge=0)
    audio_tokens: int = Field(default=0, ge=0)
    max_seconds: int = Field(default=0, ge=0)
    job_seconds: int = Field(default=0, ge=0)
    inputs: frozenset[str] = frozenset()
    counts: dict[str, Unit] = Field(default_factory=dict)
    own_key: bool = False
    needs: str = ""


class ProviderIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[^\s/:]+$")
    registry_id: int = Field(ge=1)
    kind: Kind
    base_url: str = Field(pattern=r"^https?://")
    api_key_env: str | None = None
    wire: Literal["openai", "anthropic", "google"] = "openai"
    connect_seconds: float = Field(default=5, gt=0)
    first_byte_seconds: float = Field(default=120, gt=0)
    idle_seconds: float = Field(default=60, gt=0)
    total_seconds: int = Field(default=600, ge=1)
    max_answer_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    cap_field: str = Field(default="max_tokens", pattern=r"^max_(completion_)?tokens$")
    extra_fields: frozenset[str] = frozenset()
    resale: bool = True
    jobs: JobFormIn = JobFormIn()
    models: tuple[ModelIn, ...] = Field(min_length=1)


class FileIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    providers: tuple[ProviderIn, ...] = Field(min_length=1)
    gateway: GatewayIn = GatewayIn()


def text_of(path: Path) -> str:
    """Raises MalformedFile."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedFile(str(path), f"cannot be read: {error}") from None


def parse_file(text: str, where: str, *, toml: bool) -> FileIn:
    """``where`` names it in errors.

    Raises:
        MalformedFile
    """
    try:
        fields: Any = tomllib.loads(text) if toml else orjson.loads(text)
        return FileIn.model_validate(fields)
    except (tomllib.TOMLDecodeError, orjson.JSONDecodeError) as error:
        raise MalformedFile(where, str(error)) from None
    except ValidationError as error:
        raise malformed(where, error) from None


def malformed(where: str, error: ValidationError) -> MalformedFile:
    """The first thing that is wrong, and its place in the file."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return MalformedFile(where, f"{place}: {first['msg']}")
