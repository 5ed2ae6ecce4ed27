"""What a stranger, a careless client or a bad provider tries with long jobs."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.gateway.mortal import follow
from tests.gateway.rig import EXIT_DELAY, key_text, raised_text
from tests.gateway.studio import SECOND_NANOS, Studio
from tests.wallet.browser import signed_in
from tests.wallet.keys import made_key

from mintery.domain.hold import HoldStatus, ReleaseReason, RequestId
from mintery.domain.long_job import JobQuote, JobStatus, LongJob
from mintery.domain.price import PriceState, Sku
from mintery.domain.quote import PricedLine, UsageSource
from mintery.domain.quoted import Quoted
from mintery.domain.voucher import AccountId, Kind
from mintery.errors import ProviderNonsense, TooManyTries
from mintery.ledger.commands import ExtendLease
from mintery.ledger.work import instant_of, micros
from mintery.providers.job_forms import OPENAI_VIDEOS, read_report
from mintery.providers.long_jobs import open_long_jobs
from mintery.providers.stub_jobs import PREDICTIONS
from mintery.units import BasisPoints, Par, UsdWad
from mintery.usecases.expire_holds import expire_holds
from mintery.usecases.fetch_long_job import FETCHES, FETCHES_OF_ONE, Fetches
from mintery.usecases.meter_long_job import meter_long_job

COST = 8 * SECOND_NANOS


def test_the_same_idempotency_key_is_one_job_however_often_it_is_sent_at_once(here: Studio):
    key = here.key()
    with ThreadPoolExecutor(6) as crowd:
        answers = list(
            crowd.map(lambda _: here.video(key=key, headers={"Idempotency-Key": "once"}), range(6)),
        )

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(here.jobs) == 1
    assert here.money()[1] == COST


def test_a_raised_voucher_opens_one_job(stage: Studio):
    key, raised = stage.key(credits_=50), raised_text(credits_=60, signer=stage.signer)
    headers = {"Mintery-Voucher": raised}

    first, second = (stage.video(key=key, headers=headers) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 409)
    assert len(stage.jobs) == 1


def test_the_same_request_again_is_another_job_unless_it_says_that_it_is_a_retry(stage: Studio):
    key = stage.key()
    first = stage.opened(stage.video(key=key))
    second = stage.opened(stage.video(key=key))
    assert stage.rig.settled(lambda: _delivered(stage, first) and _delivered(stage, second))

    third = stage.opened(stage.video(key=key, headers={"x-stainless-retry-count": "1"}))

    assert len({first, second, third}) == 3, "both had been delivered, so a retry is of neither"
    assert len(stage.jobs) == 3


def _delivered(stage: Studio, request: str) -> bool:
    record = stage.ledger.request(request)  # type: ignore[arg-type]  # as the job has it
    return record is not None and record.delivered_at is not None


def test_a_voucher_that_is_no_longer_good_opens_nothing_and_what_it_opened_is_paid(stage: Studio):
    request = stage.opened(stage.video())
    late = stage.key(deadline=int(datetime.now(UTC).timestamp()) + EXIT_DELAY - 1)
    other = stage.key(secret=b"\x08" * 32)

    assert stage.video(key=late).status_code == 401
    assert stage.get(f"/v1/videos/{request}", key=late).status_code == 200, "who cannot spend any more may still read"
    assert stage.get(f"/v1/videos/{request}", key=other).status_code == 200, "so may any key of the account"
    for path in ("", "/content"):
        assert stage.get(f"/v1/videos/{request}{path}", key="mv1.nonsense").status_code == 401
        assert stage.rig.http.get(f"{stage.rig.base_url}/v1/videos/{request}{path}").status_code == 401
    stage.turn()
    assert len(stage.jobs) == 1
    assert stage.money()[2] == COST


@pytest.mark.parametrize("path", ["/v1/videos/%00", "/v1/videos/req_x", "/v1/videos/%2e%2e/content", "/v1/jobs/'"])
def test_what_is_no_id_is_nobodys_job(here: Studio, path: str):
    assert here.get(path).status_code == 404
    assert here.get("/v1/videos?after=%00").status_code == 404


@pytest.mark.parametrize(
    ("model", "cost", "source"),
    [
        ("tenfold-seconds", COST, UsageSource.CLAMPED),
        ("negative-seconds", 0, UsageSource.CLAMPED),
        ("silent-seconds", COST, UsageSource.COUNTED),
    ],
)
def test_a_provider_cannot_charge_more_than_was_asked_for(stage: Studio, model: str, cost: int, source: UsageSource):
    request = stage.opened(stage.video(model))
    stage.turn()

    receipt = stage.ledger.receipt(request)

    assert receipt is not None
    assert (receipt.receipt.cost, receipt.receipt.source) == (cost, source)
    assert stage.money()[1:] == (0, cost)


def test_what_only_the_provider_could_tell_is_charged_at_its_bound(stage: Studio):
    """``render`` is sold by the second, and no field of it says how many there will be."""
    request = stage.opened(stage.song("render"))
    assert stage.money()[1] == 60 * 100_000
    stage.turn()
    told = stage.ledger.receipt(request)
    assert told is not None
    assert (told.receipt.cost, told.receipt.source) == (30 * 100_000, UsageSource.PROVIDER)


def test_a_client_that_never_comes_back_is_charged_once(stage: Studio):
    stage.opened(stage.video())

    for at in (1, 2, 3_000, 100_000):
        stage.turn(at)

    assert stage.money() == (100 * 10**9 - COST, 0, COST)


def test_a_job_that_never_ends_is_given_up_at_its_bound_and_stopped_where_it_can_be(here: Studio):
    film, song = here.opened(here.video("never-ends")), here.opened(here.song("never-ends"))
    bound = timedelta(seconds=EXIT_DELAY - 60)
    for at in range(30, 1_250, 60):
        here.turn(at)
        for request in (film, song):
            hold = here.job(request).hold
            assert hold.status_at(datetime.now(UTC) + timedelta(seconds=at)) is HoldStatus.DISPATCHED
            assert hold.lease_until - hold.placed_at <= bound

    here.turn(1_300)

    assert here.untouched
    assert [each.cancelled for each in here.jobs] == [False, True], "the first one's provider stops nothing"
    for request in (film, song):
        job = here.job(request)
        assert job.hold.released_for is ReleaseReason.UNRESOLVED
        assert job.failure is not None
        assert job.failure.code == "too_slow"
        receipt = here.ledger.receipt(request)
        assert receipt is not None
        assert receipt.receipt.cost == 0


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_a_provider_that_cannot_be_asked_is_waited_for_and_then_given_up(stage: Studio, status: int):
    request = stage.opened(stage.video("never-ends"))
    follower = stage.another()
    stage.turn(10, follower=follower)
    lease = stage.job(request).hold.lease_until
    stage.control.fails_looks = status

    stage.turn(600, follower=follower)
    assert stage.job(request).hold.lease_until == lease, "what nobody saw extends nothing"
    stage.turn(360 + 15 * 60, follower=follower)
    assert stage.job(request).is_open
    stage.turn(380 + 15 * 60, follower=follower)

    assert stage.untouched
    failure = stage.job(request).failure
    assert failure is not None
    assert failure.code == "no_evidence"


def test_one_bad_answer_after_a_long_silence_is_not_the_end(stage: Studio):
    """The whole gateway was gone for longer than a lease and its evidence; the job is done meanwhile."""
    request = stage.opened(stage.video())
    follower = stage.another()
    stage.control.fails_looks = 503
    stage.turn(3_000, follower=follower)
    assert stage.job(request).is_open
    stage.control.fails_looks = None

    stage.turn(3_020, follower=follower)

    assert stage.job(request).status is JobStatus.COMPLETED
    assert stage.money()[2] == COST


def test_the_sweeper_leaves_a_job_to_who_follows_it(stage: Studio):
    request = stage.opened(stage.video())
    parts = stage.rig.parts
    late = datetime.now(UTC) + timedelta(hours=2)

    swept = expire_holds(stage.ledger, parts.domain, parts.settler.address, late)

    assert (swept.lost, swept.unresolved) == (0, 1)
    assert stage.job(request).is_open


def test_where_nobody_knows_no_other_route_is_asked(stage: Studio):
    answer = stage.post("/v1/videos", json={"model": "shared", "prompt": "a cat", "seconds": "8", "size": "1280x720"})

    assert (answer.status_code, answer.headers["x-should-retry"]) == (502, "false")
    assert [each.model for each in stage.jobs] == ["cuts-after-opening"]
    assert stage.untouched
    calls = stage.ledger.attempts(answer.headers["x-mintery-request"])  # type: ignore[arg-type]  # a request's id
    assert [(each.route, each.outcome.value) for each in calls] == [
        ("test/shared-0", "refused"),
        ("test/shared-1", "nonsense"),
    ]


def test_where_a_provider_took_nothing_another_route_stands_in(here: Studio):
    body = {"model": "spare", "prompt": "a cat", "seconds": "8", "size": "1280x720"}
    request = here.opened(here.post("/v1/videos", json=body))
    here.turn()

    record = here.ledger.receipt(request)
    told = here.get(f"/v1/receipts/{request}").json()
    job = here.get(f"/v1/videos/{request}").json()

    assert record is not None
    receipt = record.receipt
    assert (receipt.model, receipt.backup, receipt.asked) == ("test/spare-1", True, "spare")
    assert [each["outcome"] for each in told["attempts"]] == ["refused", "delivered"]
    assert (job["model"], job["mintery"]["route"], job["mintery"]["backup"]) == ("spare", "test/spare-1", True)
    assert here.money()[2] == COST


@pytest.mark.parametrize("model", ["cuts-after-opening", "fails-after-opening"])
def test_a_provider_that_knows_its_keys_is_asked_again_for_the_same_job(stage: Studio, model: str):
    request = stage.opened(stage.song(model))

    stage.turn()

    assert len(stage.jobs) == 1
    assert stage.job(request).status is JobStatus.COMPLETED


def test_a_provider_that_hangs_delays_nobody_elses_jobs(stage: Studio):
    stage.control.done_after = 1
    film, song = stage.opened(stage.video()), stage.opened(stage.song())
    follower = stage.another()
    elsewhere = [
        replace(each, base_url="http://127.0.0.1:9/v1") if each.name == "pred" else each for each in stage.rig.configs
    ]
    follower.open_providers = lambda: _providers(elsewhere)

    stage.turn(1, follower=follower)

    assert stage.job(film).status is JobStatus.COMPLETED
    assert stage.job(song).is_open


def _providers(configs: object) -> dict[str, object]:
    return open_long_jobs(configs)  # type: ignore[arg-type,return-value]  # as the studio has them


def test_a_clock_that_is_behind_charges_all_the_same(stage: Studio):
    request = stage.opened(stage.video("never-ends"))

    assert follow(stage, -30) is not None

    assert stage.job(request).is_open


def test_a_job_that_another_ended_meanwhile_is_left_alone(stage: Studio):
    """Its hold's lease is extended by nobody once it has ended."""
    request = stage.opened(stage.video())
    stage.turn()

    [result] = stage.ledger.commit([ExtendLease(request, datetime.now(UTC) + timedelta(days=1))])

    assert type(result).__name__ == "NotWritten"


def _deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b'"x"',
        b"{}",
        b'{"id":"a"}',
        b'{"id":"a/../b","status":"succeeded"}',
        b'{"id":"","status":"succeeded"}',
        b'{"id":null,"status":"succeeded"}',
        b'{"id":{"x":1},"status":"succeeded"}',
        b'{"id":"a","status":"perhaps"}',
        b'{"id":"a","status":["succeeded"]}',
        b'{"id":"a","status":"succeeded","output":' + _deep(400) + b"}",
        b'{"id":"a","status":"succeeded","output":"' + b"x" * 70_000 + b'"}',
    ],
)
def test_what_tells_nothing_of_a_job_is_nonsense(said: bytes):
    with pytest.raises(ProviderNonsense):
        read_report("pred", PREDICTIONS, said)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-01-01", 2**63, -1, 1e300, "1e9999", "NaN"]),
    lambda each: st.lists(each, max_size=2) | st.dictionaries(st.sampled_from(["code", "message", "x"]), each, max_size=2),
    max_leaves=4,
)  # fmt: skip


TOLD = st.fixed_dictionaries({}, optional=dict.fromkeys(("progress", "expires_at", "seconds", "error"), VALUES))


@settings(max_examples=200)
@given(status=st.sampled_from(list(JobStatus)), told=TOLD)
def test_whatever_a_provider_tells_can_be_kept(status: JobStatus, told: dict[str, object]):
    try:
        report = read_report("test", OPENAI_VIDEOS, json.dumps({"id": "a", "status": status.value, **told}).encode())
    except ProviderNonsense:
        event("nonsense")
        return

    assert 0 <= report.progress <= 100
    assert all(type(count) is int and abs(count) <= 10**15 for count in report.usage.values())
    assert report.expires_at is None or instant_of(micros(report.expires_at)) == report.expires_at
    assert report.expires_at is None or micros(report.expires_at) >= 0
    assert (report.failure is not None) == (status is JobStatus.FAILED)


UNITS = ("second.1280x720", "second.1792x1024", "request")


@settings(max_examples=150)
@given(
    bounds=st.dictionaries(st.sampled_from(UNITS), st.integers(0, 10**6), min_size=1),
    prices=st.lists(st.integers(1, 10**21), min_size=3, max_size=3),
    usage=st.dictionaries(st.sampled_from(["second", "request", "image", *UNITS]), st.integers(-(10**15), 10**15)),
    markup=st.integers(0, 10_000),
    counted=st.booleans(),
)
def test_no_job_costs_more_than_its_quote(
    bounds: dict[str, int], prices: list[int], usage: dict[str, int], markup: int, counted: bool
):
    lines = tuple(
        PricedLine(Sku("test/film", unit), place, 7, 1, UsdWad(prices[place]), bounds[unit])
        for place, unit in enumerate(sorted(bounds))
    )
    fee = PricedLine(Sku("gateway/priority", "request"), 9, 8, 1, UsdWad(10**15), 1)
    quoted = Quoted(
        "test/film", "test", "film", Kind.ROUTED, False, True, PriceState.NORMAL, (*lines, fee), Par(10**6), BasisPoints(markup)
    )  # fmt: skip
    quote = JobQuote(quoted, dict(bounds) if counted else {}, {"second": "second.1280x720"})

    metered, most = meter_long_job(quote, usage), meter_long_job(quote, dict(bounds))

    assert metered.cost <= most.cost
    assert fee in metered.lines
    assert all(0 < line.quantity <= bounds[line.sku.unit] for line in metered.lines if line is not fee)
    sold = {quote.variants.get(unit, unit) for unit in usage} & {unit for unit, bound in bounds.items() if bound}
    if counted and not sold and not any(usage.get(unit) for unit in usage if quote.variants.get(unit, unit) in bounds):
        assert (metered.source, metered.cost) == (UsageSource.COUNTED, most.cost)


def test_a_revoked_key_sees_nothing_more_of_the_job_that_it_opened_and_its_receipt_names_it(stage: Studio):
    stage.rig.fund(100)
    holder = signed_in(stage.rig)
    made = made_key(holder)
    request = stage.opened(stage.video(key=made["api_key"]))
    assert stage.get(f"/v1/videos/{request}", key=made["api_key"]).status_code == 200
    holder.call("DELETE", f"/v1/wallet/keys/{made['id']}")

    stage.turn()

    for path in ("", "/content"):
        assert stage.get(f"/v1/videos/{request}{path}", key=made["api_key"]).status_code == 401
    assert stage.get(f"/v1/videos/{request}/content", key=key_text()).status_code == 200
    assert stage.get(f"/v1/receipts/{request}", key=key_text()).json()["key"] == made["id"]


@pytest.mark.parametrize("model", ["refuses-it", "takes-none", "fails-after-opening"])
def test_what_nobody_took_is_closed_and_nothing_of_it_is_kept(here: Studio, model: str):
    """Songs may be asked for again, so what they were asked with is kept until somebody has them."""
    if model == "fails-after-opening":
        here.control.answers = _out_of_order
    answer = here.song(model)
    here.control.answers = None

    assert answer.status_code in {400, 429, 502}
    request = answer.headers["x-mintery-request"]
    told = here.get(f"/v1/jobs/{request}").json()
    job = here.job(request)  # type: ignore[arg-type]  # a request's id
    assert (told["status"], job.new.sent, job.is_open) == ("failed", None, False)
    assert told["error"]["code"] in {"provider_refused", "provider_nonsense"}
    assert here.untouched


@pytest.mark.parametrize("status", [400, 429, 503])
def test_a_second_try_that_is_refused_does_not_undo_what_the_first_may_have_left(stage: Studio, status: int):
    stage.control.refuses_again = status
    body = {"model": "tune", "input": {"prompt": "a waltz", "duration": 30}}

    answer = stage.post("/v1/jobs", json=body)

    assert answer.status_code == 502, answer.text
    asked = stage.ledger.attempts(answer.headers["x-mintery-request"])  # type: ignore[arg-type]  # a request's id
    assert [(call.route, call.status) for call in asked] == [("pred/tune-0", 500)], "nobody else was asked"
    assert len(stage.jobs) == 1
    assert stage.untouched


def test_an_apps_key_sees_nothing_of_what_another_app_spent(here: Studio):
    here.rig.fund(100)
    holder, ours = signed_in(here.rig), key_text()
    first, second = (made_key(holder, label=label)["api_key"] for label in ("one", "two"))
    seen = len(here.get("/v1/videos?limit=100", key=ours).json()["data"])
    request = here.opened(here.video(key=first))
    refused = here.video("none", key=first).headers["x-mintery-request"]
    here.turn()

    paths = [f"/v1/videos/{request}", f"/v1/videos/{request}/content", f"/v1/receipts/{request}", f"/v1/why/{request}"]
    for path in (*paths, f"/v1/why/{refused}"):
        told = {name: here.get(path, key=key).status_code for name, key in (("1", first), ("2", second), ("v", ours))}
        assert told == {"1": 200, "2": 404, "v": 200}, path
    for path in ("/v1/videos", "/v1/receipts"):
        mine, others = (here.get(path, key=key).json()["data"] for key in (first, second))
        assert ([each["id"] for each in mine], others) == ([request], []), path
    assert len(here.get("/v1/videos?limit=100", key=ours).json()["data"]) == seen + 1
    assert "asked_by_key" not in here.get(f"/v1/why/{refused}", key=first).text


def test_what_cannot_be_fetched_counts_against_nobody(stage: Studio):
    waiting, done = (stage.opened(stage.video()) for _ in range(2))
    song = stage.opened(stage.song())
    stage.control.done_after = 1
    assert {stage.get(f"/v1/videos/{waiting}/content").status_code for _ in range(2 * FETCHES + 1)} == {409}
    stage.turn()
    assert {stage.get(f"/v1/jobs/{song}/content").status_code for _ in range(2 * FETCHES + 1)} == {404}

    assert stage.get(f"/v1/videos/{waiting}/content").status_code == 200
    assert stage.get(f"/v1/videos/{done}/content").status_code == 200


def test_one_accounts_fetches_do_not_use_up_everybodys(stage: Studio):
    job = stage.job(stage.opened(stage.video()))
    fetches, now = Fetches(), datetime.now(UTC)

    def of(number: int, account: str) -> LongJob:
        new = replace(job.new, request=RequestId(f"req_{number}"))
        return replace(job, new=new, hold=replace(job.hold, account=AccountId(account)))

    for number in range(FETCHES_OF_ONE):
        fetches.count(of(number, "0xa"), now)

    with pytest.raises(TooManyTries):
        fetches.count(of(FETCHES_OF_ONE, "0xa"), now)
    fetches.count(of(0, "0xb"), now)


async def _out_of_order() -> None:
    raise RuntimeError("the stub is out of order")


def test_what_was_paid_for_once_is_not_fetched_without_end(stage: Studio):
    first, second = (stage.opened(stage.video()) for _ in range(2))
    stage.turn()

    answers = [stage.get(f"/v1/videos/{first}/content") for _ in range(2 * FETCHES + 1)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused, "at least once in any two minutes"
    assert 1 <= int(refused[0].headers["retry-after"]) <= 60
    assert stage.get(f"/v1/videos/{second}/content").status_code == 200
