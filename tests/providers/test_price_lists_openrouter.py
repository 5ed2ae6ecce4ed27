"""A provider's own models page with prices in OpenRouter's form, and what a page may do to us."""

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.providers.declared import declared, window

from mintery.domain.observation import NonsensePrice, NoPrice, SourceAnswer, SourcePrice
from mintery.errors import FetchFailed
from mintery.providers.fetching import fetch
from mintery.providers.price_lists_openrouter import KEPT, ModelsPage
from mintery.units import UsdWad

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG = [{"min_prompt_tokens": 200_001, "prompt": "0.000006"}]
PEAK = [{"utc_start": "16:30", "utc_end": "00:30", "prompt": "0.000001"}]


def page(pricing: object, id_: str = "small-1") -> bytes:
    return json.dumps({"data": [{"id": id_, "pricing": pricing}]}).encode()


def answer(body: bytes, unit: str = "input_token", **how: object) -> SourceAnswer:
    models = declared("acme/small", upstream="small-1", **how)  # type: ignore[arg-type]  # tiers, windows
    return ModelsPage("acme", "https://acme.example", models, lambda _url: body).price_of(f"acme/small:{unit}", NOON)


def usd(wad: int) -> SourcePrice:
    return SourcePrice("acme's models page", UsdWad(wad))


def test_prices_are_dollars_a_unit_as_text():
    pricing = {"prompt": "0.00000125", "completion": "0.00001", "input_cache_read": "1.25e-7", "request": "0.002"}
    assert answer(page(pricing)) == usd(1_250_000_000_000)
    assert answer(page(pricing), "output_token") == usd(10_000_000_000_000)
    assert answer(page(pricing), "cached_input_token") == usd(125_000_000_000)
    assert answer(page(pricing), "request") == usd(2 * 10**15)


def test_longer_input_is_dearer_from_a_number_of_tokens_on():
    body = page({"prompt": "0.000003", "overrides": LONG})
    assert answer(body, tiers=(200_000,)) == usd(3 * 10**12)
    assert answer(body, "input_token.above_200000", tiers=(200_000,)) == usd(6 * 10**12)
    assert isinstance(answer(body), NoPrice)
    assert isinstance(answer(body, tiers=(199_999,)), SourcePrice)
    assert isinstance(answer(body, "input_token.above_199999", tiers=(199_999,)), NoPrice)


def test_hours_are_a_window():
    body, night = page({"prompt": "0.000003", "overrides": PEAK}), (window("night", "16:30", "00:30"),)
    assert answer(body, windows=night) == usd(3 * 10**12)
    assert answer(body, "input_token.night", windows=night) == usd(10**12)
    assert isinstance(answer(body), NoPrice)


@pytest.mark.parametrize(
    "pricing",
    [
        {},
        {"prompt": None},
        {"prompt": "-1"},
        {"prompt": "0.00001", "discount": 0.5},
        {"prompt": "0.00001", "overrides": [{"weekday": 6, "prompt": "0.000005"}]},
        {"prompt": "0.00001", "overrides": [{"utc_start": "25:00", "utc_end": "01:00", "prompt": "0.000005"}]},
        {"prompt": "0.00001", "overrides": ["cheaper"]},
        {"prompt": "0.00001", "overrides": True},
        {"prompt": "0.00001", "overrides": 7},
        {"prompt": "0.00001", "overrides": {"prompt": "0.00001"}},
        {"prompt": "0.00001", "overrides": [{"min_prompt_tokens": least, "prompt": "0.00001"} for least in range(17)]},
        {"prompt": "0.0000000000000000001"},
    ],
)
def test_what_is_not_said_has_no_price(pricing: object):
    assert isinstance(answer(page(pricing)), NoPrice)


@pytest.mark.parametrize(
    "price", ["NaN", "sNaN", "-NaN7", "Infinity", "1e400", "-2", "0x10", "", "0.00125", True, {"usd": "1"}]
)
def test_nonsense_is_named(price: object):
    assert isinstance(answer(page({"prompt": price})), NonsensePrice)


@pytest.mark.parametrize("least", ["NaN", "sNaN", "Infinity", "-Infinity", True, "many"])
def test_a_condition_that_is_no_number_is_nonsense(least: object):
    overrides = [{"min_prompt_tokens": least, "prompt": "0.000006"}]
    assert isinstance(answer(page({"prompt": "0.000003", "overrides": overrides})), NonsensePrice)


def test_as_many_conditions_as_are_looked_at_have_a_price():
    overrides = [{"min_prompt_tokens": least, "prompt": "0.000003"} for least in range(16)]
    assert answer(page({"prompt": "0.000003", "overrides": overrides})) == usd(3 * 10**12)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"data": {}}',
        b'{"data": [], "rest": 1e-99999999999999999999}',
        b'{"data": [{"id": "small-1", "pricing": {"prompt": 0e99999999999999999999}}]}',
        b'{"data": [{"id": "small-1", "pricing": {"prompt": NaN}}]}',
        b"[" * 99_999,
    ],
)
@pytest.mark.parametrize("recursion", [1_000, 200_000])
def test_a_page_that_is_none_has_no_prices(body: bytes, recursion: int, request: pytest.FixtureRequest):
    """The machine of the dev chain raises the recursion limit of its process: no nesting may end it."""
    request.addfinalizer(partial(sys.setrecursionlimit, sys.getrecursionlimit()))
    sys.setrecursionlimit(max(recursion, sys.getrecursionlimit()))

    assert isinstance(answer(body), NoPrice)


def test_a_model_that_is_there_twice_is_believed_in_neither_place():
    twice = {"data": [{"id": "small-1", "pricing": {"prompt": price}} for price in ("0.000001", "0.000002")]}
    assert isinstance(answer(json.dumps(twice).encode()), NoPrice)


def test_the_page_is_read_once_a_minute_and_only_for_its_own_provider():
    asked: list[str] = []

    def fetched(url: str) -> bytes:
        asked.append(url)
        return page({"prompt": "0.000001"}, "small")

    listed = ModelsPage("acme", "https://acme.example", {}, fetched)
    assert listed.price_of("other/small:input_token", NOON) == NoPrice(listed.name, "not listed")
    assert asked == []
    for _ in range(3):
        assert isinstance(listed.price_of("acme/small:input_token", NOON), SourcePrice)
    listed.price_of("acme/small:input_token", NOON + KEPT)
    assert len(asked) == 2


class _Server(BaseHTTPRequestHandler):
    """Misbehaves as the path says."""

    def do_GET(self) -> None:
        {"/good": self._good, "/elsewhere": self._elsewhere, "/endless": self._endless, "/drip": self._drip}.get(
            self.path, lambda: self.send_error(500)
        )()

    def _good(self) -> None:
        self._head(200)
        self.wfile.write(page({"prompt": "0.000001"}))

    def _elsewhere(self) -> None:
        self._head(302, Location="/good")

    def _endless(self) -> None:
        """A gibibyte, to whoever reads on."""
        self._head(200)
        piece = b" " * 65_536
        for _ in range(16_384):
            self.wfile.write(piece)

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(200):
            self.wfile.write(b"a")
            self.wfile.flush()
            time.sleep(0.02)

    def _head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the reader has left, as it should
            super().handle()

    def log_message(self, *_: object) -> None:
        """Nothing to standard error."""


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("path", "seconds", "why"),
    [
        ("/elsewhere", 20, "it answered 302"),
        ("/broken", 20, "it answered 500"),
        ("/endless", 20, "its answer has more than 1000000 bytes"),
        ("/drip", 0.5, "it took too long"),
    ],
)
def test_a_page_that_misbehaves_is_left(base_url: str, path: str, seconds: float, why: str):
    began = time.monotonic()
    with pytest.raises(FetchFailed) as caught:
        fetch(base_url + path, most_bytes=1_000_000, seconds=seconds)
    assert caught.value.why == why
    assert time.monotonic() - began < 15


def test_a_page_over_http(base_url: str):
    listed = ModelsPage("acme", base_url + "/good", {}, partial(fetch, most_bytes=10_000, seconds=20))
    assert listed.price_of("acme/small-1:input_token", NOON) == usd(10**12)


def test_nobody_there_is_no_price():
    listed = ModelsPage("acme", "http://127.0.0.1:9/secret?key=1", {}, partial(fetch, most_bytes=10, seconds=1))
    answer_ = listed.price_of("acme/small:input_token", NOON)
    assert isinstance(answer_, NoPrice)
    assert "secret" not in answer_.why


def test_a_clock_that_was_set_back_keeps_no_old_page():
    asked: list[str] = []
    listed = ModelsPage("acme", "x", {}, lambda url: asked.append(url) or page({"prompt": "0.1"}))  # type: ignore[func-returns-value]  # append gives None
    for now in (NOON, NOON - timedelta(days=1)):
        listed.price_of("acme/small-1:request", now)
    assert len(asked) == 2
