"""The list validates against the schema that wallets validate it with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from tests.usecases.town import PAR, PROVIDER, Town

from mintery.chain.terms import Terms
from mintery.crypto.keys import PrivateKey, dev_key
from mintery.crypto.token_lists import sign_token_list, token_list_signer
from mintery.domain.voucher import Address, Kind
from mintery.errors import LooksLikeAnother, MalformedInput, TokenListRefused, UnknownProject
from mintery.units import AssetUnits, BasisPoints, CreditUnits
from mintery.usecases.check_project_name import check_project_name
from mintery.usecases.list_tokens import list_tokens
from mintery.usecases.open_project import open_project

SCHEMA = Path(__file__).parents[2] / "contracts/node_modules/@uniswap/token-lists/src/tokenlist.schema.json"


@pytest.fixture(scope="module")
def check() -> Callable[[Any], None]:
    """Raises where a list is not one."""
    validator = jsonschema_rs.Draft7Validator(json.loads(SCHEMA.read_text()), validate_formats=True)
    return validator.validate


def opened(town: Town, name: str, symbol: str, *, by: PrivateKey | None = None) -> Address:
    terms = Terms(
        name=name,
        symbol=symbol,
        par=PAR,
        markup=BasisPoints(0),
        fee_recipient=town.issuer.address,
        public_mint=True,
        kind=Kind.ROUTED,
        providers=(PROVIDER,),
        allowlist=False,
        mint_cap=CreditUnits(0),
        payout_cap=AssetUnits(0),
    )
    issuer = town.issuer if by is None else town.chain.sender(by)
    return open_project(town.chain, issuer, terms).token


def test_the_list_validates_and_says_what_the_chain_says(town: Town, check: Callable[[Any], None]):
    retired = opened(town, "Old Credits", "OLD")
    town.chain.vault.retire(town.issuer, retired)

    listed = list_tokens(town.chain, town.rpc.block())

    check(listed.content)
    by_address = {token["address"]: token for token in listed.content["tokens"]}
    ours = by_address[town.token]
    credit_token = town.chain.token(town.token)
    assert (ours["name"], ours["symbol"], ours["decimals"]) == (
        credit_token.token_name(),
        credit_token.symbol(),
        credit_token.decimals(),
    )
    assert ours["chainId"] == town.rpc.chain_id
    assert "tags" not in ours
    assert by_address[retired]["tags"] == ["retired"]
    assert listed.content["version"]["minor"] == len(by_address)


def test_a_further_token_raises_the_minor_version(town: Town):
    before = list_tokens(town.chain, town.rpc.block()).content["version"]
    opened(town, "More Credits", "MORE")

    after = list_tokens(town.chain, town.rpc.block()).content["version"]

    assert after["minor"] == before["minor"] + 1


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("Fine", "TWO WORDS"), ("Fine", "MORE_THAN_TWENTY_CHARACTERS"), ("Two\tColumns", "TABBED")],
)
def test_a_name_that_no_list_may_carry_is_left_out_and_told(
    town: Town, check: Callable[[Any], None], name: str, symbol: str
):
    token = opened(town, name, symbol)

    listed = list_tokens(town.chain, town.rpc.block())

    check(listed.content)
    assert token in listed.left_out
    assert token not in {entry["address"] for entry in listed.content["tokens"]}


def test_only_the_issuers_that_were_named(town: Town):
    with pytest.raises(UnknownProject):
        list_tokens(town.chain, town.rpc.block(), issuers=[PrivateKey.generate().address])

    assert list_tokens(town.chain, town.rpc.block(), issuers=[town.issuer.address]).content["tokens"]


def test_the_check_can_fail(town: Town, check: Callable[[Any], None]):
    content = list_tokens(town.chain, town.rpc.block()).content
    content["tokens"][0]["symbol"] = "TWO WORDS"

    with pytest.raises(jsonschema_rs.ValidationError):
        check(content)


def test_no_list_carries_a_look_alike_of_an_earlier_project(town: Town, check: Callable[[Any], None]):
    real = opened(town, "HONEST_AI_CREDITS", "HAIC")
    fake = opened(town, "H0NEST_A1_CREDITS", "NEW", by=dev_key(7))
    own = opened(town, "HONEST_AI_CREDITS", "HAIC")

    listed = list_tokens(town.chain, town.rpc.block())

    check(listed.content)
    tokens = {entry["address"] for entry in listed.content["tokens"]}
    assert {real, own} <= tokens
    assert fake not in tokens
    assert (fake, real) in listed.fakes


def test_a_person_opens_no_look_alike_through_our_tools(town: Town):
    opened(town, "CAREFUL_AI_CREDITS", "CAIC")
    stranger = dev_key(8).address

    with pytest.raises(LooksLikeAnother):
        check_project_name(town.chain, stranger, name="C4REFUL-AI-CREDITS", symbol="X9")
    with pytest.raises(LooksLikeAnother):
        check_project_name(town.chain, stranger, name="Something else", symbol="C41C")
    check_project_name(town.chain, town.issuer.address, name="CAREFUL_AI_CREDITS", symbol="CAIC")
    check_project_name(town.chain, stranger, name="CARELESS_AI_CREDITS", symbol="LESS")


def test_a_signed_list_is_known_from_a_changed_one(town: Town):
    content = list_tokens(town.chain, town.rpc.block()).content
    signed = sign_token_list(content, dev_key(3))

    assert token_list_signer(json.loads(json.dumps(content)), signed) == dev_key(3).address
    changed = {**content, "tokens": content["tokens"][1:]}
    for wrong, by in ((changed, signed), (content, {**signed, "signer": dev_key(4).address})):
        with pytest.raises(TokenListRefused):
            token_list_signer(wrong, by)
    for nonsense in ({}, {**signed, "format": "other"}, {**signed, "signature": "0x00"}, {**signed, "signature": "zz"}):
        with pytest.raises(MalformedInput):
            token_list_signer(content, nonsense)
