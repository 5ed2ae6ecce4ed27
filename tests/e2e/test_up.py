"""The stock openai package against `mintery up` in another process: only base_url and api_key are changed."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest

from mintery.client import VoucherAuth, openai_client, quote, read_receipt, sign_voucher_key
from mintery.client import credits as read_credits
from mintery.crypto.keys import dev_key
from mintery.crypto.vouchers import decode_key
from mintery.domain.voucher import EscrowDomain
from mintery.units import CreditUnits, parse_assets

from .conftest import Up

HELLO = [{"role": "user", "content": "Hello there!"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def client(up: Up) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=up.base_url, api_key=up.api_key, max_retries=0) as opened:
        yield opened


def cost(up: Up, request_id: str) -> int:
    return read_receipt(up.base_url, up.api_key, request_id).cost


def test_its_models_say_that_they_are_test(client: openai.OpenAI) -> None:
    models = list(client.models.list())

    assert {model.id for model in models if "/" in model.id} == {
        "test/chat",
        "test/chat-plus",
        "test/embed",
        "test/film",
    }
    assert all(model.model_extra["mintery"]["test"] for model in models)


def test_a_json_call(up: Up, client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="test/chat", messages=HELLO)
    receipt = read_receipt(up.base_url, up.api_key, answer._request_id)

    assert answer.choices[0].message.content.startswith("[TEST]")
    assert {line.sku.unit: line.quantity for line in receipt.lines} == {
        "input_token": answer.usage.prompt_tokens,
        "output_token": answer.usage.completion_tokens,
    }
    assert receipt.cost > 0
    assert receipt.test


@pytest.mark.parametrize("include_usage", [True, False])
def test_a_streamed_call(up: Up, client: openai.OpenAI, include_usage: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if include_usage else {}
    stream = client.chat.completions.create(model="test/chat", messages=HELLO, stream=True, **options)
    chunks = list(stream)

    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    usages = [chunk.usage for chunk in chunks if chunk.usage is not None]
    assert text.startswith("[TEST]")
    assert len(usages) == int(include_usage)
    assert cost(up, stream.response.headers["x-request-id"]) > 0


def test_tools(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="test/chat", messages=HELLO, tools=[WEATHER], tool_choice="required")
    call = answer.choices[0].message.tool_calls[0]

    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments), dict)


def test_embeddings(up: Up, client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="test/embed", input=["one", "two"])

    assert len(answer.data) == 2
    assert all(isinstance(number, float) for number in answer.data[0].embedding)
    assert cost(up, answer._request_id) > 0


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_async_calls(up: Up) -> None:
    async with openai.AsyncOpenAI(base_url=up.base_url, api_key=up.api_key) as client:
        answer = await client.chat.completions.create(model="test/chat", messages=HELLO)
        stream = await client.chat.completions.create(model="test/chat", messages=HELLO, stream=True)
        streamed = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    assert answer.choices[0].message.content == streamed


def test_a_quote_bounds_the_receipt(up: Up, client: openai.OpenAI) -> None:
    asked = {"model": "test/chat", "messages": HELLO, "max_tokens": 32}
    most = int(quote(up.base_url, up.api_key, asked)["max_cost_nanocredits"])
    answer = client.chat.completions.create(**asked)

    assert 0 < cost(up, answer._request_id) <= most


def test_what_a_call_costs_leaves_the_balance(up: Up, client: openai.OpenAI) -> None:
    before = int(read_credits(up.base_url, up.api_key)["spendable_nanocredits"])
    answer = client.chat.completions.create(model="test/chat", messages=HELLO)
    after = int(read_credits(up.base_url, up.api_key)["spendable_nanocredits"])

    assert before - after == cost(up, answer._request_id)


def test_a_changed_key_is_refused(up: Up) -> None:
    changed = up.api_key[:-8] + ("A" if up.api_key[-8] != "A" else "B") + up.api_key[-7:]
    with (
        openai.OpenAI(base_url=up.base_url, api_key=changed, max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.chat.completions.create(model="test/chat", messages=HELLO)


def raising_auth(up: Up, *, per_request: int, cap: int) -> tuple[str, VoucherAuth]:
    """The dev holder's own key that promises nothing, raised request by request."""
    given = decode_key(up.api_key).signed
    contracts = json.loads(Path(up.facts["deployment"]).read_text())["contracts"]
    domain = EscrowDomain(given.chain_id, contracts["SpendEscrow"]["address"])
    signer = dev_key(4)
    assert signer.address == given.signer
    key = sign_voucher_key(
        signer,
        domain,
        token=given.voucher.token,
        gateway=given.voucher.gateway,
        max_spend=CreditUnits(0),
        deadline=given.voucher.deadline,
    )
    return key, VoucherAuth(key, signer, domain, per_request=CreditUnits(per_request), cap=CreditUnits(cap))


def test_a_voucher_raised_request_by_request(up: Up) -> None:
    key, auth = raising_auth(up, per_request=10**18, cap=10**22)

    with openai_client(up.base_url, key, auth=auth) as client:
        answers = [client.chat.completions.create(model="test/chat", messages=HELLO, max_tokens=16) for _ in range(3)]

    assert len({answer._request_id for answer in answers}) == 3


def test_a_raised_voucher_stops_at_its_cap(up: Up) -> None:
    spent = int(read_credits(up.base_url, up.api_key)["voucher"]["spent_nanocredits"])
    key, auth = raising_auth(up, per_request=10**18, cap=(spent + 1) * 10**9)

    with openai_client(up.base_url, key, auth=auth) as client, pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(model="test/chat", messages=HELLO)

    assert refused.value.status_code == 402


def test_everything_settles_and_reconciles(up: Up, client: openai.OpenAI) -> None:
    """The jobs of the running gateway settle on their own; the public reserve then shows the burn."""
    answer = client.chat.completions.create(model="test/chat", messages=HELLO)
    headers = {"Authorization": f"Bearer {up.api_key}"}
    until = time.monotonic() + 60
    settlement = None
    while not settlement and time.monotonic() < until:
        receipt = httpx2.get(f"{up.base_url}/receipts/{answer._request_id}", headers=headers).json()
        settlement = receipt["settlement"]["tx_hash"]
        time.sleep(0.2)

    assert settlement, "nothing was settled within a minute"
    reserve = up.mintery("reserve", "show").facts
    assert int(reserve["supply"]) < 10_000 * 10**18
    assert int(reserve["reserve"]) >= int(reserve["backing_needed"])


def test_the_chat_command(up: Up) -> None:
    told = up.mintery("chat", "What is the time?").facts

    assert told["answer"] == "[TEST] echo: What is the time?"
    assert told["receipt"]["model"] == "test/chat"


def test_a_receipt_is_checked_with_and_without_the_chain(up: Up, tmp_path: Path) -> None:
    receipt = up.mintery("chat", "How much?").facts["receipt"]
    file, prices = tmp_path / "receipt.json", tmp_path / "prices.json"
    file.write_text(json.dumps(receipt))
    prices.write_text(up.mintery("price", "show", "--versions").out)

    online = up.mintery("receipt", "verify", str(file))
    offline = up.mintery("receipt", "verify", str(file), "--prices", str(prices), "--rpc", "http://127.0.0.1:1")

    assert online.facts["holds"], online.out
    assert offline.facts["holds"], offline.out
    assert up.mintery("receipt", "show", receipt["id"]).facts == receipt


@pytest.mark.parametrize(
    ("field", "value"),
    [("cost_nanocredits", "1"), ("model", "test/other"), ("captured_at", "2026-01-01T00:00:00+00:00")],
)
def test_a_changed_receipt_is_refused(up: Up, tmp_path: Path, field: str, value: str) -> None:
    receipt = up.mintery("chat", "Same?").facts["receipt"]
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(receipt | {field: value}))

    ended = up.mintery("receipt", "verify", str(file))

    assert ended.code == 1
    assert ended.facts["error"]["type"] == "ReceiptRefused"


def test_the_wallet_is_shown_in_a_terminal(up: Up) -> None:
    (balance,) = up.mintery("wallet").facts["balances"]
    spendable = read_credits(up.base_url, up.api_key)["spendable_nanocredits"]

    assert (balance["kind"], balance["symbol"]) == ("routed", up.facts["symbol"])
    assert balance["spendable_nanocredits"] == spendable


def test_the_reserve_has_a_history(up: Up) -> None:
    until = time.monotonic() + 60
    seen: list[dict[str, str]] = []
    while not seen and time.monotonic() < until:
        seen = up.mintery("reserve", "history", up.facts["token"]).facts["observations"]
        time.sleep(0.2)

    assert parse_assets(seen[-1]["reserve_usd"]) >= parse_assets(seen[-1]["needed_usd"])


def test_the_doctor_finds_nothing_broken(up: Up) -> None:
    told = up.mintery("doctor")

    states = {finding["what"]: finding["state"] for finding in told.facts["findings"]}
    assert told.code == 0
    assert states["gateway"] == states["chain"] == states["deployment"] == states["ledger"] == "good"
