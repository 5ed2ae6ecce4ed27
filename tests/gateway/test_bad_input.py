"""Every bad input has its own typed error and status, reaches no provider, and moves no credit."""

import time
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest
from tests.gateway.rig import (
    DOMAIN,
    ESCROW,
    EXIT_DELAY,
    IDENTITY,
    OTHER_TOKEN,
    Rig,
    key_text,
    private_key,
    raised_text,
    rig,
    voucher,
)

from mintery.crypto.keys import CURVE_ORDER
from mintery.crypto.vouchers import encode_key
from mintery.domain.voucher import EscrowDomain, SignedVoucher, VoucherKey
from mintery.ledger.store import open_ledger


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One for all: nothing here may change it."""
    path = tmp_path_factory.mktemp("bad_input") / "ledger.sqlite"
    with open_ledger(path, IDENTITY) as ledger:
        with rig(ledger) as running:
            running.fund(100)
            yield running
        ledger.check()


def refused(gateway: Rig, response: httpx2.Response, status: int, code: str) -> dict:
    """Asserts the refusal and that it cost nothing; the error's body."""
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code), error
    assert error["message"]
    assert gateway.stub.control.requests == 0
    assert gateway.untouched()
    return error


def resigned(**fields: object) -> str:
    key = voucher()
    return encode_key(VoucherKey(replace(key.signed, **fields), key.secret))


def high_s(signed: SignedVoucher) -> bytes:
    packed = int.from_bytes(signed.vs)
    parity, s = packed >> 255, packed & (2**255 - 1)
    return ((CURVE_ORDER - s) % 2**255 | (1 - parity) << 255).to_bytes(32)


@pytest.mark.parametrize("key", ["sk-1234", "mv1.garbage", "mv1.", "mv1.!!!!", "x" * 5_000])
def test_garbage_keys(gateway: Rig, key: str):
    refused(gateway, gateway.chat(key=key), 401, "invalid_api_key")


def test_a_truncated_key(gateway: Rig):
    error = refused(gateway, gateway.chat(key=key_text()[:-9]), 401, "invalid_api_key")
    assert "copied whole" in error["message"]


def test_no_key(gateway: Rig):
    response = gateway.post("/v1/chat/completions", headers={"Authorization": "Basic abc"}, json={})
    refused(gateway, response, 401, "credential_missing")


WRONG = {
    "wrong_chain": lambda: key_text(domain=EscrowDomain(1, ESCROW)),
    "wrong_token": lambda: key_text(token=private_key(9).address),
    "wrong_gateway": lambda: key_text(gateway=private_key(9).address),
    "wrong_epoch": lambda: key_text(epoch=3),
    "wrong_secret": lambda: encode_key(replace(voucher(), secret=b"\x08" * 32)),
    "voucher_expired": lambda: key_text(deadline=int(time.time()) + EXIT_DELAY - 5),
}


@pytest.mark.parametrize("code", WRONG)
def test_vouchers_that_are_not_for_here_or_now(gateway: Rig, code: str):
    error = refused(gateway, gateway.chat(key=WRONG[code]()), 401, code)
    assert error["type"] == "authentication_error"


def test_another_escrow_of_the_same_chain(gateway: Rig):
    foreign = key_text(domain=EscrowDomain(DOMAIN.chain_id, private_key(9).address))
    refused(gateway, gateway.chat(key=foreign), 401, "invalid_signature")


SIGNATURES = {
    "zero": lambda: resigned(r=bytes(32), vs=bytes(32)),
    "zero s": lambda: resigned(vs=bytes(32)),
    "r at the order": lambda: resigned(r=CURVE_ORDER.to_bytes(32)),
    "high s": lambda: resigned(vs=high_s(voucher().signed)),
    "another signer": lambda: resigned(signer=private_key(9).address),
    "a higher maximum": lambda: resigned(voucher=replace(voucher().signed.voucher, max_spend=2**96 - 1)),
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_forged_signatures(gateway: Rig, name: str):
    refused(gateway, gateway.chat(key=SIGNATURES[name]()), 401, "invalid_signature")


def test_what_settlement_publishes_is_no_key(gateway: Rig):
    """The voucher with its signature and key hash is public once settled; the secret is not in it."""
    published = voucher().signed
    guess = encode_key(VoucherKey(published, published.voucher.key_hash.ljust(32, b"\0")))
    refused(gateway, gateway.chat(key=guess), 401, "wrong_secret")


RAISED = {
    "account": lambda: raised_text(signer=private_key(9)),
    "token": lambda: raised_text(token=OTHER_TOKEN),
    "key hash": lambda: raised_text(secret=b"\x09" * 32),
    "epoch": lambda: raised_text(epoch=2),
}


@pytest.mark.parametrize("field", RAISED)
def test_raised_vouchers_of_something_else(gateway: Rig, field: str):
    response = gateway.chat(headers={"Mintery-Voucher": RAISED[field]()})
    refused(gateway, response, 401, "voucher_mismatch")


@pytest.mark.parametrize("text", ["garbage", "mr1.AAAA", "mv1.AAAA"])
def test_garbage_raised_vouchers(gateway: Rig, text: str):
    refused(gateway, gateway.chat(headers={"Mintery-Voucher": text}), 401, "invalid_api_key")


def test_an_account_that_never_deposited(gateway: Rig):
    error = refused(gateway, gateway.chat(key=key_text(token=OTHER_TOKEN)), 402, "insufficient_balance")
    assert error["available"] == 0


def test_spending_above_the_voucher(gateway: Rig):
    error = refused(gateway, gateway.chat(key=key_text(max_spend=100)), 402, "voucher_exhausted")
    assert (
        "is left of what the key's voucher promises. To go on, sign a voucher with a higher maximum;"
        in error["message"]
    )
    assert error["available"] == 100


MODELS = {"test/none": "model_not_found", "test/official": "model_not_covered", "test/elsewhere": "model_not_covered"}


@pytest.mark.parametrize("name", MODELS)
def test_models_that_these_credits_do_not_buy(gateway: Rig, name: str):
    refused(gateway, gateway.chat(name), 404, MODELS[name])


def test_an_unpriced_model(gateway: Rig):
    response = gateway.chat("test/unpriced")
    error = refused(gateway, response, 503, "model_unpriced")
    assert error["sku"].startswith("test/unpriced:")
    assert response.headers["x-should-retry"] == "false"


def test_a_model_of_another_endpoint(gateway: Rig):
    refused(gateway, gateway.chat("test/embed"), 422, "unsupported")


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_too_large(gateway: Rig, declared: bool):
    limit = gateway.parts.limits.body_bytes
    body = b"x" * (limit + 1)
    content = body if declared else iter([body[:limit], body[limit:]])
    error = refused(gateway, gateway.post("/v1/chat/completions", content=content), 413, "body_too_large")
    assert error["limit"] == limit < error["size"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b'{"model": NaN}', b"\xff\xfe", b'{"a":' * 2_000])
def test_malformed_json(gateway: Rig, body: bytes):
    refused(gateway, gateway.post("/v1/chat/completions", content=body), 400, "malformed_request")


MALFORMED = {
    "model": {"model": 5},
    "messages": {"messages": []},
    "max_tokens": {"max_tokens": 0},
    "max_completion_tokens": {"max_completion_tokens": 1_001},
    "n": {"n": 17},
    "stream": {"stream": "yes"},
    "stream_options": {"stream_options": [1]},
    "tools": {"tools": "all"},
}


@pytest.mark.parametrize("field", MALFORMED)
def test_malformed_fields(gateway: Rig, field: str):
    error = refused(gateway, gateway.chat(**_fields(MALFORMED[field])), 400, "malformed_request")
    assert error["param"] == field


COSTLY = {
    "best_of": 3,
    "prediction": {"type": "content", "content": "x"},
    "web_search_options": {},
    "service_tier": "priority",
    "modalities": ["text", "audio"],
    "tools": [{"type": "web_search"}],
}


@pytest.mark.parametrize("field", COSTLY)
def test_fields_that_could_cost_more(gateway: Rig, field: str):
    error = refused(gateway, gateway.chat(**{field: COSTLY[field]}), 422, "unsupported")
    assert error["param"] == field


def test_kinds_that_are_no_texts(gateway: Rig):
    parts = [{"type": ["text"], "text": "hello"}]
    response = gateway.chat(messages=[{"role": "user", "content": parts}])
    refused(gateway, response, 422, "unsupported")
    refused(gateway, gateway.chat(tools=[{"type": ["function"]}]), 422, "unsupported")


def test_images_are_not_metered_by_their_bytes(gateway: Rig):
    picture = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    response = gateway.chat(messages=[{"role": "user", "content": picture}])
    refused(gateway, response, 422, "unsupported")


def test_unknown_paths_and_methods_look_like_openai(gateway: Rig):
    assert gateway.get("/v1/nothing").json()["error"]["type"] == "invalid_request_error"
    assert gateway.get("/v1/chat/completions").status_code == 405


def _fields(fields: dict) -> dict:
    return {("model_" if name == "model" else name): value for name, value in fields.items()}
