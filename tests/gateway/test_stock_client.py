"""The official ``openai`` client, with only base_url and api_key changed."""

import openai
import pytest
from tests.gateway.rig import CREDIT, INPUT_USD, OUTPUT_USD, Rig, key_text

from mintery.domain.receipt import parse_receipt
from mintery.providers.calls import JSON
from mintery.providers.stub import BUSY_SECONDS

HELLO = [{"role": "user", "content": "hello there"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    },
}


def cost(prompt: int, completion: int) -> int:
    """Nanocredits at a par of one dollar: one is 1e9 of 1e-18 USD."""
    return (prompt * INPUT_USD + completion * OUTPUT_USD) // 10**9


def test_a_chat_is_answered_charged_and_receipted(gateway: Rig):
    raw = gateway.client().chat.completions.with_raw_response.create(model="test/echo", messages=HELLO)
    answer = raw.parse()

    assert answer.choices[0].message.content == "[TEST] echo: hello there"
    assert answer.usage is not None
    charged = cost(answer.usage.prompt_tokens, answer.usage.completion_tokens)
    assert charged > 0
    assert gateway.balance.captured == charged == int(raw.headers["x-mintery-cost-nanocredits"])
    assert gateway.balance.held == 0
    assert gateway.balance.available == 100 * CREDIT - charged

    receipt = gateway.get("/v1/receipts/" + raw.headers["x-mintery-receipt"]).json()
    assert int(receipt["cost_nanocredits"]) == charged
    assert receipt["route"]["test"] is True
    assert receipt["usage_source"] == "provider"
    assert raw.headers["content-type"] == JSON
    assert parse_receipt(receipt).signature is not None


def test_a_cap_is_sent_upstream_where_the_client_names_none(gateway: Rig):
    gateway.client().chat.completions.create(model="test/echo", messages=HELLO)

    assert gateway.stub.control.bodies[-1]["max_tokens"] == 1_000


def test_the_newer_cap_is_sent_in_the_field_that_the_upstream_reads(gateway: Rig):
    answer = gateway.client().chat.completions.create(model="test/echo", messages=HELLO, max_completion_tokens=2)

    assert gateway.stub.control.bodies[-1]["max_tokens"] == 2
    assert "max_completion_tokens" not in gateway.stub.control.bodies[-1]
    assert answer.choices[0].finish_reason == "length"


def test_a_stream_shows_no_usage_that_was_not_asked_for_and_is_charged_by_it(gateway: Rig):
    with gateway.client().chat.completions.create(model="test/echo", messages=HELLO, stream=True) as stream:
        chunks = list(stream)

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "[TEST] echo: hello there"
    assert all(chunk.choices for chunk in chunks)
    assert gateway.balance.captured == cost(6, 4)
    assert gateway.stub.control.bodies[-1]["stream_options"] == {"include_usage": True}


def test_a_stream_shows_usage_that_was_asked_for_once_it_is_charged(gateway: Rig):
    options = {"include_usage": True}
    stream = gateway.client().chat.completions.create(
        model="test/echo", messages=HELLO, stream=True, stream_options=options
    )
    for chunk in stream:
        if chunk.usage is not None:
            captured = gateway.balance.captured
            assert not chunk.choices
            assert captured == cost(chunk.usage.prompt_tokens, chunk.usage.completion_tokens) > 0
            break
    else:
        pytest.fail("no usage came")


@pytest.mark.parametrize("stream", [False, True])
def test_tools_are_called(gateway: Rig, stream: bool):
    client = gateway.client()
    if stream:
        chunks = list(client.chat.completions.create(model="test/echo", messages=HELLO, tools=[TOOL], stream=True))
        calls = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
        name = calls[0].function.name
        arguments = "".join(call.function.arguments or "" for call in calls)
    else:
        answer = client.chat.completions.create(model="test/echo", messages=HELLO, tools=[TOOL])
        [call] = answer.choices[0].message.tool_calls
        name, arguments = call.function.name, call.function.arguments

    assert (name, arguments) == ("weather", '{"city":"TEST","days":1}')
    assert gateway.balance.captured > 0
    assert gateway.balance.held == 0


def test_several_answers_are_charged_together(gateway: Rig):
    answer = gateway.client().chat.completions.create(model="test/echo", messages=HELLO, n=3)

    assert len(answer.choices) == 3
    assert gateway.balance.captured == cost(6, 12)


def test_embeddings(gateway: Rig):
    answer = gateway.client().embeddings.create(model="test/embed", input=["one", "two"])

    assert [len(entry.embedding) for entry in answer.data] == [8, 8]
    assert answer.data[0].embedding != answer.data[1].embedding
    assert gateway.balance.captured == cost(answer.usage.prompt_tokens, 0) > 0


def test_cached_input_is_charged_at_its_own_price(gateway: Rig):
    answer = gateway.client().chat.completions.create(model="test/cached-usage", messages=HELLO)

    assert answer.usage.prompt_tokens_details.cached_tokens == 3
    assert gateway.balance.captured == cost(6, 4) - 3 * INPUT_USD // 2 // 10**9


def test_models_are_listed_and_found(gateway: Rig):
    listed = {each.id for each in gateway.client().models.list()}

    assert {"test/echo", "test/embed"} <= listed
    found = gateway.client().models.retrieve("test/echo")
    assert found.mintery["test"] is True
    assert {price["state"] for price in found.mintery["prices"]} == {"normal"}


@pytest.mark.anyio
async def test_the_async_client_answers_and_streams(gateway: Rig):
    async with gateway.async_client() as client:
        whole = await client.chat.completions.create(model="test/echo", messages=HELLO)
        stream = await client.chat.completions.create(model="test/echo", messages=HELLO, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert whole.choices[0].message.content == text == "[TEST] echo: hello there"
    assert gateway.balance.captured == 2 * cost(6, 4)


def counted(client: openai.OpenAI) -> list[object]:
    """What the client sends from now on."""
    sent: list[object] = []
    client._client.event_hooks = {"request": [sent.append], "response": []}
    return sent


def test_a_busy_provider_is_429_with_its_retry_after(gateway: Rig):
    client = gateway.client(max_retries=2)
    sent = counted(client)

    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model="test/busy", messages=HELLO)

    assert refused.value.response.headers["retry-after"] == BUSY_SECONDS
    assert len(sent) == gateway.stub.control.requests == 1
    assert gateway.untouched()


def test_a_replay_is_the_stored_answer_and_another_body_a_conflict_sent_once(gateway: Rig):
    client = gateway.client(max_retries=2)
    sent = counted(client)
    headers = {"Idempotency-Key": "order-7"}

    def send(text: str) -> openai.types.chat.ChatCompletion:
        messages = [{"role": "user", "content": text}]
        return client.chat.completions.create(model="test/echo", messages=messages, extra_headers=headers)

    first, second = send("once"), send("once")
    with pytest.raises(openai.ConflictError) as refused:
        send("twice")

    assert first == second
    assert refused.value.code == "idempotency_conflict"
    assert len(sent) == 3
    assert gateway.stub.control.requests == 1
    assert gateway.balance.captured == cost(first.usage.prompt_tokens, first.usage.completion_tokens)


def test_out_of_funds_is_one_request_and_none_upstream(gateway: Rig):
    client = gateway.client(key_text(max_spend=10))
    sent = counted(client)

    with pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(model="test/echo", messages=HELLO)

    assert refused.value.status_code == 402
    assert len(sent) == 1
    assert gateway.stub.control.requests == 0
    body = refused.value.body
    assert body["code"] == "voucher_exhausted"
    assert body["wallet"]["symbol"] == "PROJECTX_AI_CREDITS"
    assert body["available"] == 10
    assert body["required"] > 10
    assert "a voucher with a higher maximum" in body["message"]
    assert gateway.untouched()
