"""Accounts read by the hundred say what each says alone."""

import pytest
from tests.usecases.town import Town, build_town

from mintery.chain.read_many import AT_ONCE, read_accounts_call, split_words
from mintery.chain.rpc import Rpc
from mintery.chain.spend_escrow import SpendEscrow
from mintery.crypto.keys import PrivateKey
from mintery.domain.voucher import AccountKey, Address
from mintery.errors import TransactionReverted
from mintery.units import parse_credits
from mintery.usecases.deposit_credits import deposit_credits


@pytest.fixture(scope="module")
def town(rpc: Rpc, tmp_path_factory: pytest.TempPathFactory) -> Town:
    return build_town(rpc, tmp_path_factory.mktemp("town"))


def keys_of(town: Town, count: int) -> list[AccountKey]:
    """The first three have a deposit; the others were never opened."""
    signers = [PrivateKey.generate().address for _ in range(3)] + [
        Address(f"0x{index:040x}") for index in range(1, count - 2)
    ]
    gateway = PrivateKey.generate().address
    keys = [AccountKey(town.token, gateway, town.issuer.address, signer) for signer in signers]
    for index, key in enumerate(keys[:3]):
        deposit_credits(town.chain, town.issuer, key, parse_credits(f"{index + 1}.000000007"))
    return keys


@pytest.mark.parametrize("count", [3, AT_ONCE, AT_ONCE + 1])
def test_many_say_what_each_says_alone(town: Town, count: int):
    keys = keys_of(town, count)
    at = town.rpc.block()

    positions = town.chain.escrow.positions_of(keys, at=at)

    assert len(positions) == count
    for key, position in [*zip(keys, positions, strict=True)][:4]:
        alone = town.chain.escrow.account_of(key, at=at)
        assert (position.balance, position.spent, position.epoch) == (alone.balance, alone.spent, alone.epoch)
    assert all(position.balance == 0 for position in positions[3:])


def test_none_is_none(town: Town):
    assert town.chain.escrow.positions_of([], at=town.rpc.block()) == []


def test_no_escrow_there_is_no_empty_account(town: Town):
    nowhere = SpendEscrow(town.rpc, PrivateKey.generate().address)

    with pytest.raises(TransactionReverted):
        nowhere.positions_of(keys_of(town, 3), at=town.rpc.block())


def test_the_widest_values_fit_their_word():
    widest = (2**96 - 1, 2**96 - 1, 2**32 - 1)
    word = widest[0] << 128 | widest[1] << 32 | widest[2]

    assert split_words(word.to_bytes(32)) == [widest]


def test_a_full_call_is_within_what_every_chain_creates():
    call = read_accounts_call(Address("0x" + "11" * 20), b"\x01\x02\x03\x04", [bytes(32)] * AT_ONCE)

    assert AT_ONCE * 32 <= 24_576, "EIP-170"
    assert len(call.calldata) <= 49_152, "EIP-3860"
