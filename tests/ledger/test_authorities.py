"""What a holder allows holds from its commit on, in every process; and what limits count."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.databases import Database
from tests.ledger.samples import (
    IDENTITY,
    NOON,
    OTHER_TOKEN,
    Chain,
    Wallet,
    capture,
    deposit,
    place,
    release,
    wallet,
)

from mintery.crypto.vouchers import voucher_digest
from mintery.domain.hold import Constraint, Ending
from mintery.domain.keys import GatewayKey, KeyId, KeyRules, KeySecret, StandingVoucher
from mintery.domain.limits import LimitId, LimitPeriod, SpendLimit
from mintery.ledger.commands import Done, HoldPlaced, HoldRefused, NotWritten, PlaceHold
from mintery.ledger.commands_wallet import (
    AddStandingVoucher,
    ChangeKey,
    ChangeLimit,
    EndLimit,
    MakeKey,
    RevokeKey,
    RevokeVoucher,
    RotateKey,
    SetLimit,
    SetTimeZone,
    SpreadAuthority,
)
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.units import NanoCredits

KEY = KeyId("key_0000000000000001")
LIMIT = LimitId("lim_0000000000000001")


@pytest.fixture
def other(ledger: LedgerStore, database: Database) -> Iterator[LedgerStore]:
    """Another process on the same ledger."""
    with open_ledger(database.url, IDENTITY) as store:
        yield store


def standing_voucher(of: Wallet, most: int = 1_000) -> StandingVoucher:
    signed = of.voucher(most)
    return StandingVoucher(of.id, voucher_digest(signed.voucher, IDENTITY.domain), signed, NOON)


def key(of: Wallet, number: int = 1) -> GatewayKey:
    return GatewayKey(
        KeyId(f"key_{number:016x}"), of.key.address, of.id, standing_voucher(of).digest, "my app", NOON,
        KeyRules(frozenset({"acme/small"}), None),
    )  # fmt: skip


def secret(number: int = 1, of: KeyId = KEY) -> KeySecret:
    return KeySecret(bytes([number]) * 32, of, "abcd", NOON + timedelta(seconds=number))


def make(of: Wallet) -> list:
    return [AddStandingVoucher(standing_voucher(of)), MakeKey(key(of), secret())]


def limit(of: Wallet, ceiling: int = 100, **scope: object) -> SpendLimit:
    return SpendLimit(LIMIT, of.key.address, of.token, LimitPeriod.WEEK, NanoCredits(ceiling), NOON, **scope)  # type: ignore[arg-type]  # what narrows it down


def authority(ledger: LedgerStore, of: Wallet) -> int:
    return ledger.standing(of.id, of.key.address, of.token).authority


def counted(name: str = "2026-11-16", ceiling: int = 100, model: str | None = None) -> Constraint:
    return Constraint(f"limit:{LIMIT}:{name}", NanoCredits(ceiling), Ending.NEVER, model)


def asked(ledger: LedgerStore, number: int, of: Wallet, amount: int, **fields: object) -> PlaceHold:
    return replace(place(number, of, amount, **fields), authority=authority(ledger, of))  # type: ignore[arg-type]  # the keywords of place()


@pytest.mark.parametrize(
    "change",
    [
        lambda of: SetLimit(replace(limit(of), id=LimitId("lim_2"))),
        lambda of: ChangeLimit(of.key.address, LIMIT, 7),
        lambda of: EndLimit(of.key.address, LIMIT, NOON),
        lambda of: RotateKey(of.key.address, secret(2), NOON),
        lambda of: ChangeKey(of.key.address, KEY, "x", KeyRules(), None, standing_voucher(of).digest),
        lambda of: RevokeKey(of.key.address, KEY, NOON),
        lambda of: RevokeVoucher(of.key.address, of.id, b"k" * 16, NOON),
        lambda of: SetTimeZone(of.key.address, "Europe/Berlin"),
        lambda of: MakeKey(key(of, 2), secret(2, KeyId("key_0000000000000002"))),
    ],
    ids=["limit", "ceiling", "end of limit", "rotation", "rules", "revocation", "voucher", "time zone", "new key"],
)
def test_no_hold_is_placed_by_what_was_read_before_a_change(
    ledger: LedgerStore, other: LedgerStore, alice: Wallet, change: Callable
):
    ledger.commit([*make(alice), SetLimit(limit(alice))])
    before = asked(ledger, 1, alice, 10)
    [first] = ledger.commit([before])  # now the writer remembers the account
    assert isinstance(first, HoldPlaced)

    [changed] = other.commit([change(alice)])
    [late] = ledger.commit([replace(place(2, alice, 10), authority=before.authority)])
    [again] = ledger.commit([asked(ledger, 3, alice, 10)])

    assert changed == Done(1)
    assert late == HoldRefused("authority", NanoCredits(10), NanoCredits(0))
    assert isinstance(again, HoldPlaced)


def test_an_account_that_is_opened_later_knows_what_its_holder_set(ledger: LedgerStore, chain: Chain):
    bob = wallet(7)
    ledger.commit([SetLimit(limit(bob)), SetTimeZone(bob.key.address, "Asia/Tokyo")])
    elsewhere = wallet(7, OTHER_TOKEN)
    ledger.commit([chain.block(deposit(bob, 1_000), deposit(elsewhere, 1_000))])

    [unread] = ledger.commit([place(1, bob, 10)])

    assert isinstance(unread, HoldRefused)
    assert unread.rule == "authority"
    assert authority(ledger, bob) == authority(ledger, elsewhere) == 2
    assert ledger.commit([SpreadAuthority(bob.key.address)]) == [Done(0)]


def test_another_holders_accounts_are_left_alone(ledger: LedgerStore, chain: Chain, alice: Wallet):
    bob = wallet(7)
    ledger.commit([chain.block(deposit(bob, 1_000))])
    ledger.commit([*make(alice)])

    [placed] = ledger.commit([place(1, bob, 10)])

    assert isinstance(placed, HoldPlaced)


def test_a_key_is_found_by_its_secrets_until_they_end(ledger: LedgerStore, alice: Wallet):
    ledger.commit(make(alice))
    ledger.commit([RotateKey(alice.key.address, secret(2), NOON + timedelta(hours=1))])

    old, new = ledger.key_by_hash(secret(1).hash), ledger.key_by_hash(secret(2).hash)

    assert old is not None
    assert new is not None
    assert old.key == new.key == key(alice)
    assert old.voucher == standing_voucher(alice)
    assert (old.secret.ends_at, new.secret.ends_at) == (NOON + timedelta(hours=1), None)
    assert ledger.key_by_hash(b"?" * 32) is None
    ledger.commit([RotateKey(alice.key.address, secret(3), NOON)])
    assert {each.ends_at for each in ledger.key(KEY).secrets} == {None, NOON}


def test_nobody_changes_anothers_key_or_limit(ledger: LedgerStore, alice: Wallet):
    mallory = wallet(9).key.address
    ledger.commit([*make(alice), SetLimit(limit(alice))])

    results = ledger.commit(
        [
            RevokeKey(mallory, KEY, NOON),
            RotateKey(mallory, secret(2), NOON),
            ChangeKey(mallory, KEY, "x", KeyRules(), None, standing_voucher(alice).digest),
            ChangeLimit(mallory, LIMIT, 10**9),
            EndLimit(mallory, LIMIT, NOON),
        ]
    )

    assert [isinstance(each, NotWritten) or each == Done(0) for each in results] == [True] * 5
    assert ledger.key(KEY).key == key(alice)
    assert ledger.spend_limits(alice.key.address) == [limit(alice)]


def test_a_revoked_key_is_not_opened_again(ledger: LedgerStore, alice: Wallet):
    ledger.commit(make(alice))
    ledger.commit([RevokeKey(alice.key.address, KEY, NOON)])

    [rotated, changed, again] = ledger.commit(
        [
            RotateKey(alice.key.address, secret(2), NOON),
            ChangeKey(alice.key.address, KEY, "x", KeyRules(), None, standing_voucher(alice).digest),
            RevokeKey(alice.key.address, KEY, NOON + timedelta(days=1)),
        ]
    )

    assert isinstance(rotated, NotWritten)
    assert isinstance(changed, NotWritten)
    assert again == Done(0)
    assert ledger.key(KEY).key.revoked_at == NOON


def test_a_commands_second_time_changes_nothing(ledger: LedgerStore, alice: Wallet):
    commands = [*make(alice), SetLimit(limit(alice)), RevokeVoucher(alice.key.address, alice.id, b"k" * 16, NOON)]
    ledger.commit(commands)
    before = authority(ledger, alice)

    assert ledger.commit(commands) == [Done(0)] * 4
    assert authority(ledger, alice) == before


def test_a_models_limit_counts_what_that_model_answered(ledger: LedgerStore, alice: Wallet):
    here, elsewhere = counted(model="acme/small"), counted("2026-11-23", model="acme/large")
    placed = place(1, alice, 80, constraints=(here, elsewhere))
    ledger.commit([placed])
    assert (ledger.used(here.key), ledger.used(elsewhere.key)) == (80, 80)

    ledger.commit([capture(placed, alice, 60)])

    assert (ledger.used(here.key), ledger.used(elsewhere.key)) == (60, 0)


def test_a_released_request_counts_for_nothing(ledger: LedgerStore, alice: Wallet):
    placed = place(1, alice, 80, constraints=(counted(), counted("x", model="acme/large")))
    ledger.commit([placed])
    ledger.commit([release(placed)])

    assert (ledger.used(counted().key), ledger.used(counted("x").key)) == (0, 0)


def test_the_levels_of_a_limit_are_told_once(ledger: LedgerStore, other: LedgerStore, alice: Wallet):
    ledger.commit([SetLimit(limit(alice))])
    levels = []
    for number, amount in enumerate((49, 1, 29, 1, 21, 20), 1):
        writer = (ledger, other)[number % 2]
        placed = asked(ledger, number, alice, amount, constraints=(counted(),))
        [result] = writer.commit([placed])
        if isinstance(result, HoldPlaced):
            writer.commit([capture(placed, alice, amount)])
        levels.append({each.level for each in ledger.limit_alerts(alice.key.address)})

    assert levels == [set(), {50}, {50}, {50, 80}, {50, 80, 100}, {50, 80, 100}]


def test_what_no_period_would_admit_exhausts_none(ledger: LedgerStore, alice: Wallet):
    ledger.commit([SetLimit(limit(alice))])

    [refused] = ledger.commit([asked(ledger, 1, alice, 101, constraints=(counted(),))])

    assert isinstance(refused, HoldRefused)
    assert refused.available == 100
    assert ledger.limit_alerts(alice.key.address) == []
