"""What a page sends to move credits, sent by a program: a signature is good for one move, once, and for nothing else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from eth_account.messages import encode_typed_data

from mintery.bootstrap import DEV_ROLES
from mintery.chain.credit_token import Authorization
from mintery.crypto.keys import Signature
from mintery.crypto.personal_messages import split_signature
from mintery.domain.voucher import AccountKey, Address
from mintery.units import parse_credits
from mintery.usecases.deposit_credits import SignedDeposit, relay_deposit
from mintery.usecases.mint_credits import mint_credits
from mintery.usecases.top_up import SignedTopUp, relay_top_up

from .conftest import Served
from .wallet_app import account_of

HOLDER, FRIEND = account_of(DEV_ROLES["holder"]), account_of(DEV_ROLES["friend"])


@pytest.fixture(scope="module")
def holder(served: Served) -> Iterator[httpx2.Client]:
    """Signed in by the dev key, with a hundred credits in the own wallet."""
    chain = served.stack.chain
    issuer = chain.sender(served.stack.key("issuer"))
    mint_credits(chain, issuer, served.wallet.token, parse_credits("100"), to=Address(HOLDER.address))
    with httpx2.Client(base_url=served.url, timeout=60) as client:
        body = {"key": served.stack.gateway.dev_key, "keep": "token"}
        token = client.post("/v1/wallet/sign-in/dev", json=body).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def offered(holder: httpx2.Client, served: Served, **fields: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A move to the friend as it is sent, without its signature; and what is to be signed."""
    move = {"kind": "send", "token": served.wallet.token, "to": FRIEND.address, "credits": "1", **fields}
    answer = holder.post("/v1/wallet/moves/offer", json=move)
    assert answer.status_code == 200, answer.text
    offer = answer.json()
    return move | {"salt": offer["salt"], "valid_before": offer["valid_before"]}, offer["typed_data"]


def signature(typed: dict[str, Any], account: Any = HOLDER) -> str:
    return "0x" + account.sign_message(encode_typed_data(full_message=typed)).signature.hex()


def of_friend(served: Served) -> int:
    return served.stack.chain.token(served.wallet.token).balance_of(Address(FRIEND.address))


def test_of_ten_at_once_one_is_carried_out(holder: httpx2.Client, served: Served) -> None:
    before = of_friend(served)
    move, typed = offered(holder, served)
    signed = move | {"signature": signature(typed)}

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: holder.post("/v1/wallet/moves", json=signed), range(10)))

    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 200
    assert set(codes[1:]) <= {409, 429}, "of one holder's, two at once are tried"
    assert all(int(answer.headers["retry-after"]) == 5 for answer in answers if answer.status_code == 429)
    assert of_friend(served) - before == parse_credits("1")


@pytest.mark.parametrize(
    "change",
    [
        {"credits": "2"},
        {"to": account_of(DEV_ROLES["issuer"]).address},
        {"kind": "make_spendable"},
        {"salt": "0x" + "00" * 32},
    ],
)
def test_a_signature_is_good_for_nothing_else(holder: httpx2.Client, served: Served, change: dict[str, str]) -> None:
    before = of_friend(served)
    move, typed = offered(holder, served)

    answer = holder.post("/v1/wallet/moves", json=move | {"signature": signature(typed)} | change)

    assert answer.status_code == 409
    assert answer.json()["error"]["why"] == "the signature is not the holder's"
    assert of_friend(served) == before


def test_another_persons_signature_moves_nothing(holder: httpx2.Client, served: Served) -> None:
    move, typed = offered(holder, served)

    answer = holder.post("/v1/wallet/moves", json=move | {"signature": signature(typed, FRIEND)})

    assert answer.status_code == 409


def test_nobody_is_asked_to_sign_for_more_than_there_is(holder: httpx2.Client, served: Served) -> None:
    move = {"kind": "send", "token": served.wallet.token, "to": FRIEND.address, "credits": "1000000"}

    assert holder.post("/v1/wallet/moves/offer", json=move).json()["error"]["code"] == "move_refused"


def test_a_key_moves_nothing(served: Served) -> None:
    move = {"kind": "send", "token": served.wallet.token, "to": FRIEND.address, "credits": "1"}
    headers = {"Authorization": f"Bearer {served.wallet.api_key}"}

    assert httpx2.post(f"{served.url}/v1/wallet/moves/offer", json=move, headers=headers).status_code == 401
    assert httpx2.get(f"{served.url}/v1/wallet", headers=headers).status_code == 200


@pytest.mark.parametrize("way", ["dollars", "deposit"])
def test_what_is_offered_for_a_top_up_brings_the_credits(holder: httpx2.Client, served: Served, way: str) -> None:
    chain, token = served.stack.chain, served.wallet.token
    asked = {"way": way, "token": token, "usd": "0.5"}
    offer = holder.post("/v1/wallet/top-ups/offer", json=asked).json()
    fields, signed = offer["signed"], signature(offer["typed_data"])
    r, vs = split_signature(signed)
    authorization = Authorization(
        sender=fields["from"],
        receiver=fields["to"],
        amount=int(fields["amount"]),
        valid_after=fields["valid_after"],
        valid_before=fields["valid_before"],
        nonce=bytes.fromhex(fields["nonce"]),
        signature=Signature(r, vs),
    )
    key = AccountKey(token, served.stack.gateway.address, Address(HOLDER.address), Address(HOLDER.address))
    relayer, salt = chain.sender(served.stack.key("relayer")), bytes.fromhex(fields["salt"])

    if way == "dollars":
        came = relay_top_up(chain, relayer, SignedTopUp(key, salt, int(fields["min_credits"]), authorization)).credits
    else:
        came = relay_deposit(chain, relayer, SignedDeposit(key, salt, authorization)).credits

    assert came == parse_credits("50")
