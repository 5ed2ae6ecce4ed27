"""Holders whose wallet is a contract: how they sign in, for how long, and what each thing they ask for says."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx2
import pytest
from eth_abi.abi import encode
from tests.chain import code_wallets
from tests.chain.code_wallets import deploy_code, name_owner
from tests.databases import new_ledger
from tests.gateway.rig import GATEWAY, IDENTITY, TOKEN, Rig, rig
from tests.wallet.browser import Browser

from mintery.chain.deployment import DeployedContract, Deployment
from mintery.chain.devchain.chain import DevChain
from mintery.chain.rpc import connect
from mintery.chain.sender import Sender
from mintery.crypto.keys import PrivateKey, dev_key
from mintery.crypto.personal_messages import personal_digest, sign_personal
from mintery.crypto.vouchers import sign_voucher
from mintery.domain.peer import TrustedProxies
from mintery.domain.voucher import Address, Voucher
from mintery.errors import RpcsDisagree
from mintery.ledger.store import open_ledger
from mintery.units import CreditUnits, UnixSeconds, parse_credits
from mintery.usecases.onchain import OnChain
from mintery.usecases.relay import Relay
from mintery.usecases.relay_bounds import RelayBounds

OWNER, SIGNER = PrivateKey.generate(), PrivateKey.generate()
WRAP = bytes.fromhex("6492" * 16)


@pytest.fixture(scope="module")
def chain() -> Iterator[OnChain]:
    """Nothing of ours is deployed there: what is refused is refused before it would be asked."""
    with DevChain() as devchain:
        rpc = connect(devchain.provider())
        names = ("Asset", "AccessManager", "ProviderRegistry", "PriceOracle", "ReserveVault", "SpendEscrow")
        contracts = {name: DeployedContract(PrivateKey.generate().address, (), 0, "", None) for name in names}
        yield OnChain.of(rpc, Deployment(rpc.chain_id, rpc.genesis_hash, 0, contracts, "", ""), confirmations=0)


@pytest.fixture(scope="module")
def opened(chain: OnChain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A gateway that sees that chain."""
    path: Path = tmp_path_factory.mktemp("gateway") / "ledger.sqlite"
    with open_ledger(new_ledger(path), IDENTITY) as ledger, rig(ledger) as running:
        object.__setattr__(
            running.parts, "relay", Relay(chain, sender_of(chain), RelayBounds(ledger, running.parts.clock))
        )
        object.__setattr__(running.parts, "proxies", TrustedProxies((ip_network("127.0.0.1"),)))
        yield running


def sender_of(chain: OnChain) -> Sender:
    return chain.sender(dev_key(0))


@pytest.fixture
def gateway(opened: Rig) -> Iterator[Rig]:
    clock, relay = opened.parts.clock, opened.parts.relay
    yield opened
    object.__setattr__(opened.parts, "clock", clock)
    object.__setattr__(opened.parts, "relay", relay)


@pytest.fixture(scope="module")
def wallet(chain: OnChain) -> Address:
    """Of one owner."""
    deployed = deploy_code(sender_of(chain), code_wallets.OWNED)
    name_owner(sender_of(chain), deployed, OWNER.address)
    return deployed


def sign_in(gateway: Rig, wallet: Address, signature: str | None = None, **fields: Any) -> httpx2.Response:
    """By the owner's key, as the contract."""
    text = message_for(gateway, wallet)
    return post(gateway, {"message": text, "signature": signature or sign_personal(text, OWNER), **fields})


def post(gateway: Rig, body: dict[str, Any], peer: str | None = None) -> httpx2.Response:
    """Each from a peer of its own, unless told otherwise."""
    headers = {"X-Forwarded-For": peer or f"10.0.{secrets.randbelow(256)}.{secrets.randbelow(256)}"}
    return gateway.http.post(gateway.base_url + "/v1/wallet/sign-in", json=body, headers=headers)


def message_for(gateway: Rig, address: Address) -> str:
    answer = gateway.http.post(f"{gateway.base_url}/v1/wallet/sign-in/nonce?address={address}")
    text: str = answer.json()["message"]
    return text


@pytest.fixture
def browser(gateway: Rig, wallet: Address) -> Browser:
    begun = sign_in(gateway, wallet)
    assert begun.status_code == 200, begun.text
    return Browser(gateway, OWNER, begun.json()["csrf"], dict(begun.cookies))


def test_a_contract_wallet_signs_in_for_half_an_hour(gateway: Rig, wallet: Address):
    begun = sign_in(gateway, wallet)
    clock = gateway.parts.clock
    browser = Browser(gateway, OWNER, begun.json()["csrf"], dict(begun.cookies))

    assert begun.json()["holder"] == wallet
    assert "max-age=1800" in begun.headers["set-cookie"].lower()
    object.__setattr__(gateway.parts, "clock", lambda: clock() + timedelta(minutes=29))
    assert browser.call("GET", "/v1/wallet/sign-in").status_code == 200
    object.__setattr__(gateway.parts, "clock", lambda: clock() + timedelta(minutes=30))
    assert browser.call("GET", "/v1/wallet/sign-in").status_code == 401


def test_a_former_owner_signs_in_no_more(gateway: Rig, chain: OnChain):
    wallet = deploy_code(sender_of(chain), code_wallets.OWNED)
    name_owner(sender_of(chain), wallet, OWNER.address)
    assert sign_in(gateway, wallet).status_code == 200

    name_owner(sender_of(chain), wallet, SIGNER.address)

    refused = sign_in(gateway, wallet)
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "sign_in_refused"


def test_its_nonce_counts_once(gateway: Rig, wallet: Address):
    text = message_for(gateway, wallet)
    body = {"message": text, "signature": sign_personal(text, OWNER)}
    answers = [post(gateway, body).status_code for _ in range(2)]

    assert answers == [200, 401]


def test_a_wallet_that_has_signed_on_chain_needs_no_signature(gateway: Rig, chain: OnChain):
    assert sign_in(gateway, deploy_code(sender_of(chain), code_wallets.ACCEPTS), "0x").status_code == 200


def test_a_deployed_wallet_may_still_wrap_its_signature(gateway: Rig, wallet: Address):
    text = message_for(gateway, wallet)
    inner = OWNER.sign_digest(personal_digest(text)).long
    wrapped = encode(["address", "bytes", "bytes"], [GATEWAY, b"", inner]) + WRAP
    body = {"message": text, "signature": "0x" + wrapped.hex()}

    assert post(gateway, body).status_code == 200


def test_a_wallet_that_is_not_deployed_is_told_so(gateway: Rig):
    planned = PrivateKey.generate().address
    wrapped = encode(["address", "bytes", "bytes"], [GATEWAY, b"", b"\1" * 65]) + WRAP

    refused = sign_in(gateway, planned, "0x" + wrapped.hex())

    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "wallet_not_deployed"
    assert refused.json()["error"]["wallet"] == planned


@pytest.mark.parametrize("signature", ["0x", "0x12", "0x" + "ff" * 65])
def test_nobody_signs_in_as_a_key_by_something_else(gateway: Rig, signature: str):
    assert sign_in(gateway, OWNER.address, signature).json()["error"]["code"] == "sign_in_refused"


@pytest.mark.parametrize("signature", ["", "12", "0x1", "0xzz", "0x" + "00" * 4_097])
def test_what_is_no_signature_is_refused(gateway: Rig, wallet: Address, signature: str):
    text = message_for(gateway, wallet)
    body = {"message": text, "signature": signature}

    assert post(gateway, body).status_code in {401, 422}


def test_a_stranger_has_the_chain_asked_so_often_and_keys_sign_in_on(gateway: Rig, wallet: Address):
    text = message_for(gateway, wallet)
    body = {"message": text, "signature": "0x" + "00" * 65}

    answers = [post(gateway, body, "203.0.113.9").status_code for _ in range(14)]

    assert answers == [401] * 12 + [429] * 2
    text = message_for(gateway, OWNER.address)
    assert post(gateway, {"message": text, "signature": sign_personal(text, OWNER)}, "203.0.113.9").status_code == 200


class _Delegated:
    """A chain where every key has delegated (EIP-7702) to a contract that accepts everything."""

    def block(self) -> None:
        return None

    def code(self, _address: Address, *, at: None) -> bytes:  # noqa: ARG002 -- of any block
        return bytes.fromhex("ef0100") + b"\1" * 20


class _Chain:
    def __init__(self, rpc: object) -> None:
        self.rpc = rpc


def test_a_delegated_key_signs_in_by_its_key_alone(gateway: Rig):
    object.__setattr__(gateway.parts, "relay", Relay(_Chain(_Delegated()), None))  # type: ignore[arg-type]  # as much of a chain as is read

    assert sign_in(gateway, OWNER.address).status_code == 200
    assert sign_in(gateway, SIGNER.address).status_code == 401


class _Disagreeing:
    def block(self) -> None:
        raise RpcsDisagree("the newest block", ["a", "b"], 2)


def test_where_the_endpoints_disagree_nobody_signs_in_as_a_contract(gateway: Rig, wallet: Address):
    object.__setattr__(gateway.parts, "relay", Relay(_Chain(_Disagreeing()), None))  # type: ignore[arg-type]  # as much of a chain as is read

    assert sign_in(gateway, wallet).status_code == 503
    assert sign_in(gateway, OWNER.address).status_code == 200


def test_it_reads_its_statement_and_sets_limits(browser: Browser):
    assert browser.call("GET", "/v1/wallet/statement?month=2026-01").status_code == 200
    limit = browser.call("POST", "/v1/wallet/limits", json={"token": TOKEN, "period": "day", "credits": "5"})
    assert limit.status_code == 200
    assert len(browser.call("GET", "/v1/wallet/authorities").json()["data"]) >= 1


def test_its_voucher_is_signed_by_the_key_that_it_names(browser: Browser, wallet: Address):
    asked = {"token": TOKEN, "credits": "5", "days": 30}

    unnamed = browser.call("POST", "/v1/wallet/vouchers/offer", json=asked)
    by_contract = browser.call("POST", "/v1/wallet/vouchers/offer", json={**asked, "signer": wallet})
    offer = browser.call("POST", "/v1/wallet/vouchers/offer", json={**asked, "signer": SIGNER.address})

    for refused in (unnamed, by_contract):
        assert refused.status_code == 422
        assert (refused.json()["error"]["code"], refused.json()["error"]["param"]) == ("signer_needed", "signer")
    fields = offer.json()["voucher"]
    voucher = Voucher(
        TOKEN,
        GATEWAY,
        wallet,
        fields["epoch"],
        CreditUnits(int(fields["max_spend"])),
        UnixSeconds(fields["deadline"]),
        bytes.fromhex(fields["key_hash"][2:]),
    )
    signed = sign_voucher(voucher, browser.gateway.parts.domain, SIGNER)
    body = {**fields, "signature": "0x" + signed.r.hex() + signed.vs.hex(), "signer": SIGNER.address}
    made = browser.call("POST", "/v1/wallet/keys", json={"label": "app", "voucher": body})
    assert made.status_code == 200, made.text
    assert made.json()["api_key"].startswith("mk_")


def test_it_sends_by_a_transaction_of_its_own(browser: Browser, chain: OnChain):
    to = PrivateKey.generate().address
    body = {"kind": "send", "token": TOKEN, "to": to, "credits": "2"}

    refused = browser.call("POST", "/v1/wallet/moves/offer", json=body)

    error = refused.json()["error"]
    transfer = chain.token(TOKEN).call("transfer", to, parse_credits("2"))
    assert (refused.status_code, error["code"]) == (409, "own_transaction_needed")
    assert [(call["to"], call["data"]) for call in error["calls"]] == [(TOKEN, "0x" + transfer.calldata.hex())]
    signed = {**body, "salt": "0x" + "11" * 32, "valid_before": 2**40, "signature": "0x" + "11" * 65}
    assert browser.call("POST", "/v1/wallet/moves", json=signed).json()["error"]["code"] == "own_transaction_needed"


def test_it_makes_credits_spendable_for_the_key_that_it_names(browser: Browser, chain: OnChain, wallet: Address):
    body = {"kind": "make_spendable", "token": TOKEN, "credits": "2"}

    unnamed = browser.call("POST", "/v1/wallet/moves/offer", json=body)
    by_contract = browser.call("POST", "/v1/wallet/moves/offer", json={**body, "signer": wallet})
    named = browser.call("POST", "/v1/wallet/moves/offer", json={**body, "signer": SIGNER.address})

    assert unnamed.json()["error"]["code"] == by_contract.json()["error"]["code"] == "signer_needed"
    assert [call["to"] for call in named.json()["error"]["calls"]] == [TOKEN, chain.escrow.address]
    signed = {**body, "salt": "0x" + "11" * 32, "valid_before": 2**40, "signature": "0x" + "11" * 65}
    assert browser.call("POST", "/v1/wallet/moves", json=signed).json()["error"]["code"] == "signer_needed"


def test_a_keys_own_account_has_no_other_signer(gateway: Rig):
    browser = Browser(gateway, PrivateKey.generate())
    browser.sign_in()
    body = {"kind": "make_spendable", "token": TOKEN, "credits": "2", "signer": SIGNER.address}

    assert browser.call("POST", "/v1/wallet/moves/offer", json=body).status_code == 400
