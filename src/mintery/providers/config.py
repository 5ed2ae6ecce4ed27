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
    endpoint = "chat"                   # or responses, embeddings, moderation, images, speech, transcription, videos, jobs
    units = ["input_token", "output_token"]
    max_output_tokens = 4096
    context_tokens = 32768
    test = false                        # true for a stub: every person who sees the model is told
    tiers = [200000]                    # input tokens above which the provider asks other prices; left out for none
    windows = [{name = "off_peak", from = "16:30", until = "00:30"}]    # times of the UTC day with prices of their own
    serves = "small"                    # a name that several models may share: whichever is chosen answers; left out: none
    quality = 500                       # 0 to 1000, as you judge it: what ``best`` and ``auto`` choose by

Optional for a model: ``also`` ``[]`` (further endpoints that it answers at, ``["responses"]``), ``image_tokens`` 0 and
``audio_tokens`` 0 (the most tokens that one picture or recording in a prompt counts as, whatever its size; 0 takes none),
``max_seconds`` 0 (the longest recording that a transcription takes), ``own_key`` false (true lets callers bring a key of their
own of this provider, and charges only the gateway's fee), ``needs`` (the membership that it is kept for, one of the ``gateway``
table's: see ``offers``). Units are listed in ``domain/model.py``; ``image`` is for
pictures of any size at one price, ``image.1024x1024`` and ``image.1024x1024-high`` are for those of their own. Each tier and
window is a SKU of its own, ``acme/small:input_token.above_200000``, ``acme/small:output_token.off_peak``,
``….off_peak.above_200000``; the plain unit is for the rest.

Optional for a provider: ``connect_seconds`` 5, ``first_byte_seconds`` 120, ``idle_seconds`` 60, ``total_seconds`` 600,
``max_answer_bytes`` 16 MiB, ``cap_field`` ``"max_tokens"`` (the field this upstream reads the output cap from),
``extra_fields`` ``[]`` (request fields beyond OpenAI's own that cannot raise what a request costs), ``resale`` true
(false where a routed provider does not let its models be sold on: they take no new holds), ``wire`` ``"openai"`` (or
``anthropic`` at ``https://api.anthropic.com/v1``, ``google`` at ``https://generativelanguage.googleapis.com/v1beta``: the
provider's own format, for chats alone; apps see OpenAI's). ``job_config.py`` says what models have whose answers are long jobs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mintery.domain.intent import Intent
from mintery.domain.long_job import LONG_FORMS
from mintery.domain.membership import Offers
from mintery.domain.model import Endpoint, Model
from mintery.domain.tiers import MeteredUnit, Window, check_windows, parse_unit, parse_window
from mintery.domain.voucher import Kind
from mintery.errors import MalformedFile, MalformedWindow, SettingMissing
from mintery.providers.config_file import ModelIn, ProviderIn, malformed, parse_file, text_of
from mintery.providers.job_config import LONGEST_JOB, check_long_jobs
from mintery.providers.job_forms import OPENAI_VIDEOS, JobForm
from mintery.providers.offers import offers_of
from mintery.providers.sold_units import unmetered


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
    resale: bool = True
    wire: str = "openai"
    jobs: JobForm = OPENAI_VIDEOS


def read_providers(path: Path, environment: Mapping[str, str]) -> tuple[ProviderConfig, ...]:
    """Read a ``.toml`` or ``.json`` file; ``environment`` holds the API keys that it names.

    Raises:
        MalformedFile, SettingMissing
    """
    return parse_providers(text_of(path), environment, where=str(path), toml=path.suffix == ".toml")


def parse_providers(
    text: str, environment: Mapping[str, str], *, where: str = "providers", toml: bool = False
) -> tuple[ProviderConfig, ...]:
    """Read the structure above from text. ``where`` names it in errors.

    Raises:
        MalformedFile: it cannot be read, a field is wrong, or a name is there twice.
        SettingMissing: an API key that it names is not in ``environment``.
    """
    return _parsed(text, environment, where, toml=toml)


def _parsed(text: str, environment: Mapping[str, str] | None, where: str, *, toml: bool) -> tuple[ProviderConfig, ...]:
    """``environment`` None: keys are not asked for."""
    file = parse_file(text, where, toml=toml)
    configs = tuple(_config(provider, environment, where) for provider in file.providers)
    check_names([config.name for config in configs], [model for config in configs for model in config.models], where)
    _check_sellers(configs, offers_of(file.gateway, where), where)
    return configs


def read_offers(path: Path) -> Offers:
    """What a providers file says that the gateway sells of itself; no key that it names need be here.

    Raises:
        MalformedFile
    """
    return parse_offers(text_of(path), where=str(path), toml=path.suffix == ".toml")


def parse_offers(text: str, *, where: str = "providers", toml: bool = False) -> Offers:
    """Of the structure above as text. Raises MalformedFile."""
    return offers_of(parse_file(text, where, toml=toml).gateway, where)


def parse_model(fields: Mapping[str, Any], seller: ProviderConfig, *, where: str) -> Model:
    """One model as the file would declare it beside those of ``seller``.

    Raises:
        MalformedFile: ``where`` names it.
    """
    try:
        declared = ModelIn.model_validate(fields)
    except ValidationError as error:
        raise malformed(where, error) from None
    return _model(declared, seller, where)


def read_sellers(path: Path) -> tuple[ProviderConfig, ...]:
    """The providers of a file with what it declares of their models; no key that it names need be here.

    Raises:
        MalformedFile
    """
    return _parsed(text_of(path), None, str(path), toml=path.suffix == ".toml")


def models_of(configs: Iterable[ProviderConfig]) -> dict[str, Model]:
    """Every model by its id."""
    return {model.id: model for config in configs for model in config.models}


def _config(provider: ProviderIn, environment: Mapping[str, str] | None, where: str) -> ProviderConfig:
    api_key, named = None, provider.api_key_env
    if named is not None and environment is not None and not (api_key := environment.get(named)):
        raise SettingMissing(named, f"{where} names it as the API key of {provider.name}")
    config = ProviderConfig(
        **provider.model_dump(exclude={"api_key_env", "models", "base_url", "jobs"}),
        base_url=provider.base_url.rstrip("/"),
        api_key=api_key,
        models=(),
        jobs=provider.jobs.form(provider.name, where),
    )
    return replace(config, models=tuple(_model(model, config, where) for model in provider.models))


def _model(model: ModelIn, provider: ProviderConfig, where: str) -> Model:
    if provider.wire != "openai" and {model.endpoint, *model.also} != {Endpoint.CHAT}:
        raise MalformedFile(where, f"{model.id}: the {provider.wire} wire carries chats alone")
    for endpoint in sorted({model.endpoint, *model.also}):
        if unmetered(model.units, endpoint):
            units = ", ".join(sorted(model.units))
            raise MalformedFile(
                where, f"model {model.id}: no {endpoint} is metered by {units}, so it would cost nothing"
            )
    prefix, _, name = model.id.partition("/")
    if prefix != provider.name:
        raise MalformedFile(where, f"model {model.id} must begin with {provider.name}/")
    declared = Model(
        **model.model_dump(exclude={"upstream", "windows", "counts", "job_seconds"}),
        counts=tuple(sorted((field, unit.value) for field, unit in model.counts.items())),
        job_seconds=model.job_seconds or (LONGEST_JOB if model.endpoint in LONG_FORMS else 0),
        windows=_windows(model, where),
        upstream=model.upstream or name,
        provider=provider.name,
        provider_id=provider.registry_id,
        kind=provider.kind,
        resale=provider.resale,
    )
    check_long_jobs(declared, provider.jobs, where)
    return declared


def _windows(model: ModelIn, where: str) -> tuple[Window, ...]:
    if list(model.tiers) != sorted(set(model.tiers)):
        raise MalformedFile(where, f"model {model.id}: its tiers do not ascend")
    try:
        windows = tuple(parse_window(window.name, window.start, window.end) for window in model.windows)
        check_windows(windows)
    except MalformedWindow as error:
        raise MalformedFile(where, f"model {model.id}: {error}") from None
    for unit in model.units:
        if parse_unit(unit, windows) != MeteredUnit(unit, "", 0):
            raise MalformedFile(where, f"model {model.id}: {unit} reads as a tier or a window; declare it as one")
    return windows


def check_names(providers: Sequence[str], models: Sequence[Model], where: str) -> None:
    """Names of several routes must be told from those of one, and from intents. Whoever asks may write them in any case.

    Raises:
        MalformedFile
    """
    ids = [model.id.lower() for model in models]
    names = Counter([*(name.lower() for name in providers), *ids])
    for name, times in names.items():
        if times > 1:
            raise MalformedFile(where, f"{name} is there twice")
    for model in models:
        if model.serves.lower() in (*ids, *Intent):
            raise MalformedFile(where, f"{model.id} serves {model.serves}, which names something else")


def _check_sellers(configs: tuple[ProviderConfig, ...], offers: Offers, where: str) -> None:
    """The gateway's own names and numbers are no provider's; a model is kept for something that there is."""
    for seller in offers.sellers:
        for config in configs:
            if config.name.lower() == seller.name.lower() or config.registry_id == seller.provider_id:
                raise MalformedFile(where, f"the seller {seller.name} is the provider {config.name} too")
    for model in (model for config in configs for model in config.models):
        if model.needs and model.needs not in offers.offers:
            raise MalformedFile(where, f"{model.id} needs {model.needs}, which is no membership here")
