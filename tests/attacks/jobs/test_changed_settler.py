"""After a settler's key is changed, what the old one promised still holds, and what it promises later does not."""

import pytest
from tests.usecases.town import Till

from mintery.bootstrap.opening import former_settler_keys
from mintery.crypto.keys import PrivateKey
from mintery.settings import Settings
from mintery.units import UnixSeconds
from mintery.usecases.find_settlers import was_settler


def test_a_revoked_settler_acted_until_it_was_revoked(till: Till):
    town, settler = till.town, till.settler.address
    town.advance(60)
    acting = town.rpc.block().timestamp
    town.advance(60)
    town.chain.escrow.revoke_settler(town.chain.sender(till.identity), settler)
    town.advance(60)
    ended = town.rpc.block().timestamp

    assert was_settler(town.chain, till.gateway, settler, acting)
    assert not was_settler(town.chain, till.gateway, settler, ended)
    assert not was_settler(town.chain, till.gateway, settler, UnixSeconds(acting - 10_000))
    assert not was_settler(town.chain, till.gateway, PrivateKey.generate().address, acting)


def test_a_former_settlers_key_is_read_from_the_settings(monkeypatch: pytest.MonkeyPatch):
    key = "0x" + "5a" * 32
    monkeypatch.setenv("MINTERY_FORMER_SETTLER_KEYS", key)

    settings = Settings()

    assert [former.address for former in former_settler_keys(settings)] == [PrivateKey.from_hex(key).address]
    assert "5a5a" not in repr(settings)
