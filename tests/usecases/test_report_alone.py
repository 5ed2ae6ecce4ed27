"""Five reporters, each by itself, and the real oracle: a liar, a silent one, a replayer, and nobody in the middle."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson
import pytest
from tests.usecases.town import PRICES, QUEUE_DELAY, Town, build_town, now, sees

from mintery.chain.devchain.chain import DevChain
from mintery.chain.price_oracle import SignedReport
from mintery.chain.rpc import connect
from mintery.crypto.keys import PrivateKey, dev_key
from mintery.domain.voucher import Address
from mintery.errors import FetchFailed, NotReporter, SystemRefused
from mintery.units import UsdWad
from mintery.usecases import report_alone
from mintery.usecases.alarms import Alarm, Alarms
from mintery.usecases.exchange_reports import ReportTerms, read_report, report_json
from mintery.usecases.report_alone import LoneReporter
from mintery.usecases.report_prices import NothingToReport, PricesReported, Reporter
from mintery.usecases.report_round import read_round

SKU = "acme/small:input_token"
EPOCH = 600
HEARTBEAT = 3_600
KEYS = tuple(dev_key(number) for number in range(10, 15))


def scaled(per_mille: int) -> Mapping[str, UsdWad]:
    return {sku: UsdWad(usd * per_mille // 1_000) for sku, usd in PRICES.items()}


@dataclass
class Disk:
    """What outlives a reporter's process. ``full`` takes no more."""

    report: bytes | None = None
    full: bool = False

    def read(self) -> bytes | None:
        return self.report

    def write(self, report: bytes) -> None:
        if self.full:
            raise SystemRefused("here", "no room")
        self.report = report


@dataclass
class Ring:
    """All five, who read each other's pages in this process. ``pages`` stand in for what one of them shows."""

    town: Town
    sees: dict[Address, Mapping[str, UsdWad]] = field(default_factory=dict)
    pages: dict[Address, Callable[[], bytes | FetchFailed]] = field(default_factory=dict)
    down: set[Address] = field(default_factory=set)
    disks: dict[Address, Disk] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.members = {key.address: self.member(key) for key in KEYS}
        self.sees = dict.fromkeys(self.members, PRICES)

    def member(self, key: PrivateKey) -> LoneReporter:
        own = key.address
        return LoneReporter(
            chain=self.town.chain,
            reporter=Reporter(key, lambda _skus, _now: sees(self.sees[own])),
            sender=self.town.admin,
            peers={other.address: other.address for other in KEYS if other.address != own},
            fetch_all=self.fetch_all,
            alarms=Alarms(),
            heartbeat=HEARTBEAT,
            kept=self.disks.setdefault(own, Disk()),
        )

    def fetch_all(self, urls: Sequence[str], most_bytes: int) -> list[bytes | FetchFailed]:
        return [self.page(Address(url), most_bytes) for url in urls]

    def page(self, of: Address, most_bytes: int) -> bytes | FetchFailed:
        if of in self.down:
            return FetchFailed(of, "nobody answers")
        if of in self.pages:
            return self.pages[of]()
        body = self.members[of].shown()
        if body is None:
            return FetchFailed(of, "it answered 404")
        assert len(body) <= most_bytes
        return body

    def epoch(self, *, at: int = EPOCH // 2) -> list[PricesReported]:
        """The next epoch, so many seconds in: each one that is up looks twice, as the first hears nothing yet."""
        self.town.advance(EPOCH - self.town.chain.next_time() % EPOCH + at)
        outcomes = [
            member.tick(now()) for _ in range(2) for address, member in self.members.items() if address not in self.down
        ]
        return [outcome for outcome in outcomes if isinstance(outcome, PricesReported)]

    def epochs(self, count: int) -> None:
        for _ in range(count):
            self.epoch()

    def alarms(self, of: Address) -> set[tuple[Alarm, str]]:
        return {(standing.alarm, standing.subject) for standing in self.members[of].alarms.standing()}


def in_force(town: Town) -> Mapping[str, UsdWad]:
    oracle = town.chain.oracle
    return {sku: oracle.current_price(oracle.sku_of(sku))[1] for sku in PRICES}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with DevChain() as devchain:
        rpc = connect(devchain.provider())
        yield build_town(rpc, tmp_path_factory.mktemp("town"), epoch_length=EPOCH)


@pytest.fixture
def ring(town: Town) -> Ring:
    """The usual prices in force, days after any other."""
    ring = Ring(town)
    town.advance(2 * 86_400)
    while in_force(town) != PRICES:
        ring.epoch()
        assert all(ring.alarms(address) == set() for address in ring.members)
    return ring


FIRST, SECOND, THIRD, FOURTH, FIFTH = (key.address for key in KEYS)


def test_one_of_five_sends_what_all_signed_and_nobody_sends_it_again(ring: Ring, town: Town):
    ring.sees = dict.fromkeys(ring.members, scaled(1_050))

    sent = ring.epoch()

    assert [outcome.in_force for outcome in sent] == [scaled(1_050)]
    assert sent[0].reports >= 3
    assert ring.epoch() == []
    town.advance(HEARTBEAT)
    assert [(outcome.in_force, outcome.queued) for outcome in ring.epoch()] == [({}, {})]


def test_whoever_comes_first_is_waited_for_at_the_beginning_of_an_epoch(ring: Ring):
    ring.sees = dict.fromkeys(ring.members, scaled(1_020))

    [outcome] = ring.epoch(at=0)

    assert outcome.reports >= 3


def test_a_lie_a_silence_and_a_replay_at_once_leave_the_price_right_and_are_named(ring: Ring, town: Town):
    liar, silent, replayer = THIRD, FOURTH, FIFTH
    ring.epoch()
    old = ring.members[replayer].shown()
    assert old is not None
    ring.sees |= {liar: scaled(1_000_000)}
    ring.down.add(silent)
    ring.pages[replayer] = lambda: old
    ring.epoch()
    town.advance(HEARTBEAT)

    ring.epoch()

    assert in_force(town) == PRICES
    assert town.chain.oracle.refreshed_at(town.chain.oracle.sku_of(SKU)) > town.rpc.block().timestamp - EPOCH
    for honest in (FIRST, SECOND):
        assert ring.alarms(honest) == {
            (Alarm.REPORTER_DISAGREES, liar),
            (Alarm.REPORTER_SILENT, silent),
            (Alarm.REPORTER_SILENT, replayer),
            (Alarm.REPORTER_REPLAYS, replayer),
        }
    [why] = [
        standing.why for standing in ring.members[FIRST].alarms.standing() if standing.alarm is Alarm.REPORTER_DISAGREES
    ]
    assert liar in why
    assert "acme/small:" in why

    ring.sees[liar] = PRICES
    ring.down.clear()
    ring.pages.clear()
    ring.epochs(2)
    assert ring.alarms(FIRST) == ring.alarms(SECOND) == set()


def test_a_liar_is_left_out_where_the_others_are_a_quorum(ring: Ring, town: Town):
    ring.sees = dict.fromkeys(ring.members, scaled(1_050)) | {SECOND: scaled(1_050_000)}

    [outcome] = ring.epoch()

    assert outcome.reports <= 4
    assert in_force(town) == scaled(1_050)


def test_whoever_errs_about_one_sku_still_counts_for_another_that_needs_it(ring: Ring, town: Town):
    rise = scaled(1_050)
    ring.sees = dict.fromkeys(ring.members, rise) | {FIRST: {**rise, SKU: UsdWad(rise[SKU] * 100)}}
    ring.sees |= {who: {SKU: rise[SKU]} for who in (FOURTH, FIFTH)}
    town.advance(EPOCH - town.chain.next_time() % EPOCH + EPOCH // 2)
    for member in ring.members.values():
        member._sign(read_round(town.chain), now())

    outcome = ring.members[SECOND].tick(now())

    assert isinstance(outcome, PricesReported)
    assert outcome.in_force == rise
    assert in_force(town) == rise


def test_fewer_than_a_quorum_send_nothing_and_the_rest_are_called_silent(ring: Ring, town: Town):
    ring.sees = dict.fromkeys(ring.members, scaled(1_050))
    ring.down |= {THIRD, FOURTH, FIFTH}

    assert [ring.epoch() for _ in range(3)] == [[], [], []]

    assert in_force(town) == PRICES
    assert ring.alarms(FIRST) == {(Alarm.REPORTER_SILENT, who) for who in (THIRD, FOURTH, FIFTH)}
    ring.down.remove(FIFTH)
    assert [outcome.in_force for outcome in ring.epoch()] == [scaled(1_050)]


def test_a_leap_waits_for_its_second_epoch(ring: Ring, town: Town):
    ring.sees = dict.fromkeys(ring.members, scaled(2_000))

    [first] = ring.epoch()
    assert (first.in_force, first.queued) == ({}, scaled(2_000))
    assert EPOCH > QUEUE_DELAY
    [second] = ring.epoch()

    assert second.in_force == scaled(2_000)
    assert in_force(town) == scaled(2_000)


def test_two_reports_of_one_key_for_one_epoch_are_named_and_the_first_counts(ring: Ring, town: Town):
    ring.disks[FIFTH] = Disk()
    ring.epoch()
    ring.disks[FIFTH] = Disk()
    twin = ring.member(KEYS[4])
    ring.sees[FIFTH] = scaled(1_030)
    twin._sign(read_round(town.chain), now())
    ring.pages[FIFTH] = lambda: twin.shown() or b""

    for honest in (FIRST, SECOND):
        ring.members[honest].tick(now())
        assert (Alarm.REPORTER_REPLAYS, FIFTH) in ring.alarms(honest)
        assert ring.members[honest]._reports[FIFTH].vector != twin._reports[FIFTH].vector


def test_a_reporter_started_again_in_its_epoch_shows_what_it_had_signed(ring: Ring, town: Town):
    ring.epoch()
    before = ring.members[FIFTH].shown()
    ring.sees[FIFTH] = scaled(1_030)

    ring.members[FIFTH] = ring.member(KEYS[4])
    ring.members[FIFTH].tick(now())
    for honest in (FIRST, SECOND):
        ring.members[honest].tick(now())

    assert ring.members[FIFTH].shown() == before
    assert ring.alarms(FIRST) == ring.alarms(SECOND) == set()
    ring.epoch()
    assert ring.members[FIFTH].shown() != before


def test_what_was_kept_of_another_epoch_or_another_reporter_is_not_shown(ring: Ring):
    ring.epoch()
    others = ring.disks[FOURTH].report
    for kept in (others, b"half of a rep", None):
        ring.disks[FIFTH].report = kept
        ring.members[FIFTH] = ring.member(KEYS[4])
        ring.members[FIFTH].tick(now())
        assert orjson.loads(ring.members[FIFTH].shown() or b"")["reporter"] == FIFTH
        assert ring.disks[FIFTH].report == ring.members[FIFTH].shown()


def test_a_report_that_cannot_be_kept_is_shown_all_the_same(ring: Ring):
    ring.disks[FIRST].full = True

    ring.epoch()

    assert ring.members[FIRST].shown() is not None
    assert ring.alarms(FIRST) == {(Alarm.REPORT_NOT_KEPT, "")}
    ring.disks[FIRST].full = False
    ring.epoch()
    assert ring.alarms(FIRST) == set()


def test_another_reporters_page_is_not_ones_own(ring: Ring):
    ring.pages[FIFTH] = lambda: ring.members[FOURTH].shown() or b""

    ring.epoch()

    assert (Alarm.REPORTER_REPLAYS, FIFTH) in ring.alarms(FIRST)
    assert (Alarm.REPORTER_REPLAYS, FOURTH) not in ring.alarms(FIRST)


def test_one_who_looked_in_the_future_spoils_nobodys_report(ring: Ring, town: Town):
    """The oracle reverts a report with a vector that was observed after the block."""
    ring.epoch()
    ring.sees = dict.fromkeys(ring.members, scaled(1_050))

    def late() -> bytes:
        at = read_round(town.chain)
        honest = ring.members[FIFTH]._reports[FIFTH].vector
        vector = type(honest)(
            honest.config, at.epoch, type(at.now)((at.epoch + 1) * EPOCH - 1), honest.changed, honest.unchanged
        )
        return report_json(town.chain.oracle.sign_report(KEYS[4], vector), at.terms)

    ring.pages[FIFTH] = late

    [outcome] = ring.epoch(at=EPOCH // 2)

    assert outcome.in_force == scaled(1_050)


@pytest.mark.parametrize("hostile", [{"epoch": 2**32, "observed_at": EPOCH * 2**32}, {"epoch": None}])
def test_what_one_peer_shows_stops_nobody_else(ring: Ring, hostile: dict[str, object]):
    ring.epoch()
    shown = orjson.loads(ring.members[FIFTH].shown() or b"")
    ring.pages[FIFTH] = lambda: orjson.dumps(shown | hostile)
    ring.sees = dict.fromkeys(ring.members, scaled(1_050))

    [outcome] = ring.epoch()

    assert outcome.in_force == scaled(1_050)
    assert ring.alarms(FIRST) == {(Alarm.REPORTER_REPLAYS, FIFTH)}


def test_a_peer_whose_bytes_cannot_even_be_judged_is_named(ring: Ring, monkeypatch: pytest.MonkeyPatch):
    ring.epoch()

    def reads(body: bytes, terms: ReportTerms, reporter: Address) -> SignedReport:
        if reporter == SECOND:
            raise RuntimeError
        return read_report(body, terms, reporter)

    monkeypatch.setattr(report_alone, "read_report", reads)

    ring.members[FIRST].tick(now())

    assert ring.alarms(FIRST) == {(Alarm.REPORTER_REPLAYS, SECOND)}


def test_a_report_from_before_the_oracle_changed_is_no_replay(ring: Ring, town: Town):
    ring.epoch()
    other = replace(read_round(town.chain).terms, config=b"\x02" * 32)
    vector = replace(ring.members[FIFTH]._reports[FIFTH].vector, config=other.config)
    ring.pages[FIFTH] = lambda: report_json(town.chain.oracle.sign_report(KEYS[4], vector), other)

    ring.members[FIRST].tick(now())

    assert ring.alarms(FIRST) == set()
    ring.epochs(2)
    assert ring.alarms(FIRST) == {(Alarm.REPORTER_SILENT, FIFTH)}


def test_whoever_is_silent_is_named_by_the_host_alone(ring: Ring):
    first = ring.members[FIRST]
    first.peers = {**first.peers, FIFTH: "https://name:secret@fifth.example/hidden?key=1"}
    first.fetch_all = lambda urls, _most: [FetchFailed(url, "nobody answers") for url in urls]

    ring.epochs(3)

    [why] = [standing.why for standing in first.alarms.standing() if standing.subject == FIFTH]
    assert "(fifth.example)" in why
    assert "secret" not in why
    assert "hidden" not in why


def test_one_who_sees_no_price_signs_that_and_is_not_silent(ring: Ring):
    ring.sees[FIFTH] = {}

    ring.epochs(2)

    assert ring.alarms(FIRST) == set()


def test_a_key_that_the_oracle_does_not_know_reports_nothing(ring: Ring):
    stranger = PrivateKey.from_bytes(b"\x09" * 32)
    ring.sees[stranger.address] = PRICES
    with pytest.raises(NotReporter):
        ring.member(stranger).tick(now())


def test_nothing_is_sent_while_nothing_is_due(ring: Ring):
    ring.epoch()
    assert ring.members[FIRST].tick(now()) == NothingToReport("nothing that a quorum agrees on is due")
