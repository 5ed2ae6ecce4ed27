"""What the works do when several processes share a ledger."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.usecases.town import PRICES, Till, now, reporters

from mintery.crypto.keys import PrivateKey
from mintery.domain.channel import Scope, Setting, Subject
from mintery.domain.membership import Offer, Offers, Period, Seller
from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.price import FreshnessLimits
from mintery.domain.rates import UNLIMITED
from mintery.domain.voucher import Kind
from mintery.errors import LeadershipLost, LedgerBehind
from mintery.jobs.works import Intervals, JobParts, works_of
from mintery.ledger.commands import ChangeChannel
from mintery.ledger.leadership import Leadership, open_leadership
from mintery.usecases.alarms import Alarm
from mintery.usecases.channel_board import ChannelBoard
from mintery.usecases.follow_long_jobs import Follower
from mintery.usecases.parts import GatewayParts
from mintery.usecases.refresh_market import MarketBoard
from mintery.usecases.standings import Standings
from mintery.usecases.tariffs import Tariffs

EVERY = Intervals(sync=1, market=1, settlement=1, price=1, heartbeat=60, expiry=1, reconcile=1)


@pytest.fixture
def leadership(tmp_path: Path) -> Iterator[Leadership]:
    here = open_leadership(tmp_path / "jobs.sqlite", "here")
    yield here
    here.close()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Leadership]:
    there = open_leadership(tmp_path / "jobs.sqlite", "there")
    there.contend(["process-2"])
    yield there
    there.close()


@pytest.fixture
def parts(till: Till, leadership: Leadership) -> JobParts:
    return JobParts(
        chain=till.town.chain,
        ledger=till.ledger,
        leadership=leadership,
        follower=Follower(dict, till.town.chain.domain, till.settler.address),
        gateway=till.gateway,
        alarms=till.alarms,
        board=MarketBoard(till.town.chain, till.gateway, clock=now, longest_age=60),
        settlement=till.settlement(),
        reconciler=till.reconciler,
        reporters=(),
        channels=ChannelBoard({}),
        tariffs=Tariffs(),
        freshness=FreshnessLimits(),
        report_sender=None,
        intervals=EVERY,
    )


def run(parts: JobParts, name: str) -> None:
    next(work for work in works_of(parts) if work.name == name).run(now())


def test_a_process_sells_by_a_ledger_that_follows(parts: JobParts, till: Till, leadership: Leadership):
    leadership.contend(["sync", "process-1"])
    clock = [now()]
    board = MarketBoard(till.town.chain, till.gateway, clock=lambda: clock[0], longest_age=10_000, longest_behind=1_800)
    selling = replace(parts, board=board)
    run(selling, "market")
    clock[0] += timedelta(seconds=1_801)
    with pytest.raises(LedgerBehind):
        board.newest()

    run(selling, "sync")
    run(selling, "market")

    assert board.newest().block_number == till.town.rpc.block().number


def test_the_ledger_never_passes_the_market_of_a_process_that_sells(
    parts: JobParts, till: Till, leadership: Leadership, elsewhere: Leadership
):
    leadership.contend(["sync", "process-1"])
    member = till.open_account()
    behind = till.town.rpc.block().number
    later = till.open_account()
    elsewhere.announce(str(behind))

    run(parts, "sync")

    last = till.ledger.last_block()
    assert last is not None
    assert last.number == behind
    assert {account.key for account in till.ledger.accounts()} == {member.key}

    elsewhere.announce("")
    run(parts, "sync")
    assert {account.key for account in till.ledger.accounts()} == {member.key, later.key}


def test_every_process_tells_how_far_its_market_is(
    parts: JobParts, till: Till, leadership: Leadership, elsewhere: Leadership
):
    leadership.contend(["process-1"])

    run(parts, "market")

    assert elsewhere.notes() == [str(till.town.rpc.block().number)]


@pytest.mark.parametrize("name", ["sync", "expire_holds", "drop_answers", "seal_ledger"])
def test_who_does_not_lead_a_work_writes_nothing(
    parts: JobParts, till: Till, leadership: Leadership, elsewhere: Leadership, name: str
):
    member = till.open_account()
    till.sync()
    till.hold(member, till.receipt(member, till.town.lines(1)), dispatch=False, lease=0)
    till.open_account()
    elsewhere.contend([name])
    leadership.contend(["process-1"])
    before = till.ledger.last_block()

    with pytest.raises(LeadershipLost):
        run(parts, name)

    assert till.ledger.last_block() == before
    assert len(till.ledger.open_holds()) == 1


def test_a_gateway_with_fewer_reporters_than_a_quorum_says_once_what_it_needs(
    parts: JobParts, till: Till, leadership: Leadership, caplog: pytest.LogCaptureFixture
):
    leadership.contend(["report_prices"])
    lonely = replace(parts, reporters=reporters(PRICES)[:1], report_sender=till.town.admin)

    for _ in range(3):
        run(lonely, "report_prices")

    [alarm] = till.alarms.standing()
    assert (alarm.alarm, alarm.subject) == (Alarm.PRICES, "quorum")
    assert "1 of the 3 reporters" in alarm.why
    assert "mintery reporter" in alarm.why
    assert len([record for record in caplog.records if record.message == "prices not reported"]) == 1

    run(replace(lonely, reporters=reporters(PRICES)), "report_prices")
    assert till.alarms.standing() == ()


def test_what_an_operator_changes_elsewhere_is_sold_by_every_process_at_its_next_look(parts: JobParts, till: Till):
    """Nobody leads that work: a process that leads nothing looks as often."""
    acme = Model("acme/small", "small", "acme", 1, Kind.ROUTED, Endpoint.CHAT, frozenset({Unit.INPUT_TOKEN}), 1, 1)
    channels = ChannelBoard({acme.id: acme}, ledger=till.ledger)
    here = replace(parts, channels=channels)
    [work] = [work for work in works_of(here) if work.name == "channels"]
    resale = Subject(Scope.PROVIDER, "acme", Setting.RESALE)
    work.run(now())
    assert (channels.models[acme.id].sold_on, work.led, work.seconds <= 2) == (True, False, True)

    till.ledger.commit([ChangeChannel(resale, 1, "false", "ann", "the contract ended", now())])
    work.run(now())

    assert not channels.models[acme.id].sold_on


def test_only_a_gateway_that_sells_memberships_notes_and_renews_them(parts: JobParts, leadership: Leadership):
    offers = Offers((Seller("acme", 1, Kind.ROUTED),), {"pro": Offer("pro", frozenset({Period.MONTH}), UNLIMITED)})
    unsold = {work.name for work in works_of(parts)}
    selling = GatewayParts(
        ledger=parts.ledger, market=parts.board.newest, channels=parts.channels, providers={}, domain=parts.chain.domain,
        gateway=parts.gateway, settler=PrivateKey.generate(), exit_delay=3_600, settlement_interval=60,
        operator_key_hash=b"", clock=now, standings=Standings(offers),
    )  # fmt: skip
    sells = replace(parts, selling=selling)
    works = {work.name: work for work in works_of(sells)}

    assert works.keys() - unsold == {"memberships", "renew_memberships"}
    assert (works["memberships"].led, works["renew_memberships"].led) == (False, True)
    works["memberships"].run(now())
    leadership.contend(["renew_memberships"])
    works["renew_memberships"].run(now())
    assert selling.standings.noted_at is not None
