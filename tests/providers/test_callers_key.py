"""What leaves for a provider beside a body: whose key, in each wire's own header; and what it says it offers."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from mintery.domain.model import Endpoint
from mintery.domain.voucher import Kind
from mintery.errors import ProviderNonsense, ProviderRefused
from mintery.providers.calls import ProviderKey
from mintery.providers.config import ProviderConfig
from mintery.providers.openai_compatible import OpenAICompatible

pytestmark = pytest.mark.anyio
OURS, THEIRS = "sk-ours", "sk-theirs"
CHAT = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":5}'
HEADERS = {"openai": "Authorization", "anthropic": "x-api-key", "google": "x-goog-api-key"}
SCHEME = {"openai": "Bearer ", "anthropic": "", "google": ""}
OFFERED: Mapping[str, Any] = {
    "openai": {"object": "list", "data": [{"id": "a", "object": "model"}, {"id": "b"}]},
    "anthropic": {"data": [{"type": "model", "id": "a"}, {"id": "b"}], "has_more": False},
    "google": {"models": [{"name": "models/a"}, {"name": "models/b"}]},
}


class Upstream:
    """Refuses every call, and lists ``offered``."""

    def __init__(self) -> None:
        self.seen: list[Mapping[str, str]] = []
        self.offered: Any = None
        self.app = web.Application()
        self.app.router.add_post("/{rest:.*}", self.refuse)
        self.app.router.add_get("/models", self.list)

    async def refuse(self, request: web.Request) -> web.Response:
        self.seen.append(dict(request.headers))
        return web.json_response({"error": {"message": "no"}}, status=401)

    async def list(self, request: web.Request) -> web.Response:
        self.seen.append(dict(request.headers))
        return web.json_response(self.offered)


@pytest.fixture
async def upstream() -> AsyncIterator[tuple[Upstream, str]]:
    there = Upstream()
    async with TestServer(there.app) as server:
        yield there, str(server.make_url("")).rstrip("/")


def provider(url: str, wire: str) -> OpenAICompatible:
    return OpenAICompatible(ProviderConfig("acme", 1, Kind.ROUTED, url, (), api_key=OURS, wire=wire))


@pytest.mark.parametrize("wire", HEADERS)
async def test_a_callers_key_stands_in_place_of_ours_and_in_that_call_alone(upstream: tuple[Upstream, str], wire: str):
    there, url = upstream
    asked = provider(url, wire)

    for key in (ProviderKey(THEIRS), None):
        with pytest.raises(ProviderRefused):
            await asked.ask(Endpoint.CHAT, CHAT, key)
        with pytest.raises(ProviderRefused):
            await anext(asked.stream(Endpoint.CHAT, CHAT, key))
    await asked.close()

    said = [seen[HEADERS[wire]] for seen in there.seen]
    assert said == [SCHEME[wire] + THEIRS] * 2 + [SCHEME[wire] + OURS] * 2
    assert not any(OURS in repr(seen) for seen in there.seen[:2])
    assert all(seen["Content-Type"] == "application/json" for seen in there.seen)


@pytest.mark.parametrize("wire", HEADERS)
async def test_a_provider_says_what_it_offers_with_our_key(upstream: tuple[Upstream, str], wire: str):
    there, url = upstream
    there.offered = OFFERED[wire]
    asked = provider(url, wire)

    assert list(await asked.models()) == ["a", "b"]
    there.offered = {"nothing": "here"}
    with pytest.raises(ProviderNonsense):
        await asked.models()

    await asked.close()
    assert there.seen[0][HEADERS[wire]] == SCHEME[wire] + OURS


def test_a_callers_key_is_not_shown():
    assert THEIRS not in repr(ProviderKey(THEIRS))
