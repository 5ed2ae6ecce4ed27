"""The price sources that settings name, in the order of the operator's trust."""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

from yarl import URL

from mintery.bootstrap.demo_offers import DEMO_PRICES
from mintery.crypto.hashing import parse_address
from mintery.crypto.price_files import PRICE_FILE_FORMAT
from mintery.errors import SettingRefused
from mintery.providers.charges import Declaration
from mintery.providers.fetching import fetch
from mintery.providers.price_lists import PriceList, Renewed, read_price_file
from mintery.providers.price_lists_genai import GenaiPrices
from mintery.providers.price_lists_litellm import read_litellm_file
from mintery.providers.price_lists_openrouter import ModelsPage
from mintery.settings import Settings, variable

LOCAL_PRICES: Mapping[str, str] = {
    "asset:usd": "1",
    "test/chat:input_token": "0.000001",
    "test/chat:output_token": "0.000004",
    "test/embed:input_token": "0.0000001",
    "test/film:second": "0.01",
}
"""USD per unit of what the stub sells."""
PRICES_FILE = "prices.json"
PAGE_BYTES = 4 * 1024 * 1024
"""Reading a list holds up what else its process does."""
PAGE_SECONDS = 10.0


def price_lists(settings: Settings, models: Mapping[str, Declaration]) -> tuple[PriceList, ...]:
    """The operator's files in the order given, providers' own pages, LiteLLM's file, genai-prices.

    Raises:
        MalformedFile, SettingRefused
    """
    signers = tuple(parse_address(text) for text in settings.price_signers)
    lists: list[PriceList] = [Renewed(path, partial(read_price_file, signers=signers)) for path in settings.price_files]
    lists += [_models_page(entry, models) for entry in settings.price_urls]
    if settings.litellm_prices is not None:
        longest_age = timedelta(days=settings.litellm_longest_days)
        lists.append(
            Renewed(settings.litellm_prices, partial(read_litellm_file, models=models, longest_age=longest_age))
        )
    if settings.genai_prices:
        lists.append(GenaiPrices(models))
    return tuple(lists)


def _models_page(entry: str, models: Mapping[str, Declaration]) -> ModelsPage:
    provider, _, url = entry.partition("=")
    if not provider or page_url(url) is None:
        raise SettingRefused(variable("price_urls"), "write each as name=https://host/v1/models")
    return ModelsPage(provider, url, models, partial(fetch, most_bytes=PAGE_BYTES, seconds=PAGE_SECONDS))


def page_url(text: str) -> URL | None:
    """What plain text would carry may be changed on its way: it is taken from this machine alone."""
    try:
        url = URL(text)
    except ValueError:
        return None
    here = url.host in {"127.0.0.1", "localhost", "::1"}
    return url if url.host and (url.scheme == "https" or (here and url.scheme == "http")) else None


def with_local_prices(settings: Settings, directory: Path) -> Settings:
    """The operator's own price files, and one for the stub beside the deployment."""
    directory.mkdir(parents=True, exist_ok=True)
    prices = directory / PRICES_FILE
    if not prices.exists():
        listed = {"format": PRICE_FILE_FORMAT, "prices": {**LOCAL_PRICES, **DEMO_PRICES}}
        prices.write_text(json.dumps(listed, indent=2) + "\n")
    return settings.model_copy(update={"price_files": (*settings.price_files, prices)})
