"""The same spend against a model server that no one here wrote. See README.md beside this file."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2
import openai
import pytest

from mintery.bootstrap import LocalStack, start_local_stack
from mintery.cli.first_wallet import FirstWallet, fill_first_wallet
from mintery.client import quote, read_receipt
from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.receipt import Receipt, receipt_json
from mintery.domain.voucher import Kind
from mintery.providers.config import ProviderConfig
from mintery.settings import load_settings
from mintery.units import nanocredits_up
from mintery.usecases.read_price_book import read_price_book
from mintery.usecases.verify_receipt import verify_receipt

pytestmark = pytest.mark.model

MODEL = "openrouter/google/gemma-3-4b-it"
"""Sold at OpenRouter, so genai-prices has its prices; here its smaller sister answers."""
PRICES = {Unit.INPUT_TOKEN: 4 * 10**10, Unit.CACHED_INPUT_TOKEN: 2 * 10**10, Unit.OUTPUT_TOKEN: 5 * 10**10}
_LOAD_SECONDS = 120


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """llama.cpp's own server on a free port; its base URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program, weights = os.environ["MINTERY_TEST_MODEL_SERVER"], os.environ["MINTERY_TEST_MODEL_FILE"]
    command = [program, "--model", weights, "--port", str(port), "--ctx-size", "2048", "--n-gpu-layers", "0"]
    # A group of its own: the program starts another one, which must end with it.
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as run:
        try:
            _wait_until_loaded(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            os.killpg(run.pid, signal.SIGTERM)


def _wait_until_loaded(url: str) -> None:
    until = time.monotonic() + _LOAD_SECONDS
    while time.monotonic() < until:
        try:
            if httpx2.get(url).is_success:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"no model server at {url}")


@pytest.fixture(scope="module")
def stack(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    model = Model(
        id=MODEL,
        upstream="gemma-3-270m",
        provider="openrouter",
        provider_id=2,
        kind=Kind.ROUTED,
        endpoint=Endpoint.CHAT,
        units=frozenset(PRICES),
        max_output_tokens=64,
        context_tokens=1_024,
    )
    provider = ProviderConfig("openrouter", 2, Kind.ROUTED, server, (model,))
    settings = load_settings(home=tmp_path_factory.mktemp("home"), host="127.0.0.1", port=0, settlement_interval=1_800)
    with start_local_stack(settings, extra_providers=(provider,)) as started:
        yield started


@pytest.fixture(scope="module")
def wallet(stack: LocalStack) -> FirstWallet:
    return fill_first_wallet(stack)


def paid(
    stack: LocalStack, wallet: FirstWallet, request_id: str, usage: openai.types.CompletionUsage, most: int
) -> Receipt:
    """The receipt, held to what the model server itself said it used and to the prices that genai-prices has."""
    receipt = read_receipt(f"{stack.gateway_url}/v1", wallet.api_key, request_id)
    used = {line.sku.unit: line.quantity for line in receipt.lines}
    cached = usage.prompt_tokens_details.cached_tokens or 0
    expected = {
        Unit.INPUT_TOKEN: usage.prompt_tokens - cached,
        Unit.CACHED_INPUT_TOKEN: cached,
        Unit.OUTPUT_TOKEN: usage.completion_tokens,
    }
    assert used == {unit: quantity for unit, quantity in expected.items() if quantity}
    assert {Unit(line.sku.unit): line.unit_price for line in receipt.lines}.items() <= PRICES.items()
    usd = sum(PRICES[unit] * quantity for unit, quantity in expected.items())
    assert receipt.cost == nanocredits_up(usd, receipt.par, receipt.markup) <= most
    assert receipt.source == "provider"
    assert not receipt.test
    verify_receipt(receipt, read_price_book(stack.chain))
    return receipt


def test_a_real_model_is_paid_to_the_last_token(
    stack: LocalStack, wallet: FirstWallet, capsys: pytest.CaptureFixture[str]
) -> None:
    base_url = f"{stack.gateway_url}/v1"
    asked = {"model": MODEL, "messages": [{"role": "user", "content": "The capital of France is"}], "max_tokens": 24}
    most = int(quote(base_url, wallet.api_key, asked)["max_cost_nanocredits"])
    with openai.OpenAI(base_url=base_url, api_key=wallet.api_key, max_retries=0) as client:
        answer = client.chat.completions.create(**asked)
        stream = client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
        chunks = list(stream)

    streamed = next(chunk.usage for chunk in chunks if chunk.usage)
    first = paid(stack, wallet, answer._request_id, answer.usage, most)
    second = paid(stack, wallet, stream.response.headers["x-request-id"], streamed, most)
    (batch,) = stack.gateway.settle().batches
    stack.gateway.reconciler.reconcile(datetime.now(UTC)).raise_on_difference()

    assert batch.receipts == 2
    assert answer.choices[0].message.content
    with capsys.disabled():
        for usage, receipt in ((answer.usage, first), (streamed, second)):
            print(f"\n{usage}\n{receipt_json(receipt)}")  # noqa: T201 -- who runs this wants to see it
