import json
from collections.abc import Callable

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.client import VoucherAuth, openai_client, sign_voucher_key
from mintery.crypto.keys import PrivateKey
from mintery.crypto.vouchers import check_raised, check_signature, decode_key, decode_raised, voucher_digest
from mintery.domain.voucher import Address, EscrowDomain, Voucher
from mintery.units import CreditUnits, UnixSeconds

SIGNER = PrivateKey.from_bytes((7).to_bytes(32))
DOMAIN = EscrowDomain(1337, Address("0x00000000000000000000000000000000000000EE"))
KEY = sign_voucher_key(
    SIGNER,
    DOMAIN,
    token=Address("0x00000000000000000000000000000000000000Aa"),
    gateway=Address("0x00000000000000000000000000000000000000bb"),
    max_spend=CreditUnits(0),
    deadline=UnixSeconds(2_000_000_000),
)
CREDIT = 10**18
COMPLETION = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": []}


class Gateway:
    """Answers like one, and keeps the requests it saw. ``answers`` come first."""

    def __init__(self, *answers: Callable[[httpx2.Request], httpx2.Response], spent: int = 0) -> None:
        self.requests: list[httpx2.Request] = []
        self._answers = list(answers)
        self._spent = spent

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/credits"):
            return httpx2.Response(
                200, json={"voucher": {"spent_nanocredits": str(self._spent)}, "held_nanocredits": "0"}
            )
        self.requests.append(request)
        return self._answers.pop(0)(request) if self._answers else httpx2.Response(200, json=COMPLETION)

    @property
    def vouchers(self) -> list[Voucher]:
        return [decode_raised(request.headers["Mintery-Voucher"]).voucher for request in self.requests]


def auth(*, per_request: int = CREDIT, cap: int = 10 * CREDIT) -> VoucherAuth:
    return VoucherAuth(KEY, SIGNER, DOMAIN, per_request=CreditUnits(per_request), cap=CreditUnits(cap))


def client(gateway: Gateway, voucher_auth: VoucherAuth) -> httpx2.Client:
    return httpx2.Client(base_url="http://gateway/v1", transport=httpx2.MockTransport(gateway), auth=voucher_auth)


def chat(http: httpx2.Client, text: str = "hello", *, retry: int = 0) -> httpx2.Response:
    body = {"messages": [{"role": "user", "content": text}]}
    return http.post("chat/completions", json=body, headers={"x-stainless-retry-count": str(retry)})


def test_each_request_carries_a_raised_voucher_of_the_key() -> None:
    gateway = Gateway()

    with client(gateway, auth()) as http:
        chat(http)

    raised = decode_raised(gateway.requests[0].headers["Mintery-Voucher"])
    check_signature(raised, DOMAIN)
    check_raised(raised, decode_key(KEY).signed)
    assert gateway.requests[0].headers["Authorization"] == f"Bearer {KEY}"


def test_the_promise_begins_at_what_was_spent_and_rises_request_by_request() -> None:
    gateway = Gateway(spent=5 * 10**9)

    with client(gateway, auth()) as http:
        for text in ("a", "b", "c"):
            chat(http, text)

    assert [voucher.max_nanocredits for voucher in gateway.vouchers] == [6 * 10**9, 7 * 10**9, 8 * 10**9]


@given(cap=st.integers(10**9, 5 * CREDIT), per_request=st.integers(1, 2 * CREDIT), count=st.integers(1, 12))
def test_no_voucher_passes_the_cap_and_no_two_are_equal(cap: int, per_request: int, count: int) -> None:
    gateway = Gateway()

    with client(gateway, auth(per_request=per_request, cap=cap)) as http:
        for number in range(count):
            chat(http, str(number))

    promises = [voucher.max_spend for voucher in gateway.vouchers]
    assert max(promises) <= cap
    assert len({voucher_digest(voucher, DOMAIN) for voucher in gateway.vouchers}) == count


def test_a_cap_of_nothing_signs_nothing() -> None:
    gateway = Gateway()

    with client(gateway, auth(cap=0)) as http:
        chat(http)

    assert "Mintery-Voucher" not in gateway.requests[0].headers


def test_a_retry_presents_the_voucher_of_the_attempt_it_repeats() -> None:
    gateway = Gateway()

    with client(gateway, auth()) as http:
        chat(http)
        chat(http, retry=1)
        chat(http)

    first, again, next_one = (request.headers["Mintery-Voucher"] for request in gateway.requests)
    assert first == again
    assert next_one != first


def test_what_does_not_spend_raises_nothing() -> None:
    gateway = Gateway()

    with client(gateway, auth()) as http:
        http.get("models")
        http.post("quote", json={})

    assert all("Mintery-Voucher" not in request.headers for request in gateway.requests)


def test_a_refused_key_meets_its_refusal_at_the_request_itself() -> None:
    def refuse(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(401, json={"error": {"message": "expired", "code": "voucher_expired"}})

    with httpx2.Client(base_url="http://gateway/v1", transport=httpx2.MockTransport(refuse), auth=auth()) as http:
        assert chat(http).status_code == 401


def test_the_stock_client_retries_with_the_same_voucher() -> None:
    gateway = Gateway(lambda _: httpx2.Response(503, headers={"retry-after-ms": "1"}))
    stock = openai_client("http://gateway/v1", KEY)
    http = client(gateway, auth())
    with stock.with_options(http_client=http) as paying:
        completion = paying.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])

    assert isinstance(completion, openai.types.chat.ChatCompletion)
    assert len({request.headers["Mintery-Voucher"] for request in gateway.requests}) == 1
    assert [request.headers["x-stainless-retry-count"] for request in gateway.requests] == ["0", "1"]


@pytest.mark.anyio
async def test_event_loops_raise_vouchers_too() -> None:
    gateway = Gateway()
    transport = httpx2.MockTransport(gateway)

    async with httpx2.AsyncClient(base_url="http://gateway/v1", transport=transport, auth=auth()) as http:
        await http.post("chat/completions", content=json.dumps({"messages": []}))

    assert gateway.vouchers[0].max_nanocredits == 10**9
