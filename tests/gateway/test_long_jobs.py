"""Long jobs as an app meets them: opened, looked at, fetched; charged once, when they are completed."""

import pytest
from tests.gateway.rig import OPERATOR, key_text, private_key
from tests.gateway.studio import SECOND_NANOS, Studio

from mintery.domain.hold import ReleaseReason
from mintery.domain.long_job import JobStatus
from mintery.domain.receipt import check_arithmetic

HUNDRED = 100 * 10**9


def test_a_video_is_held_for_when_it_is_opened_and_charged_when_it_is_done(here: Studio):
    here.control.done_after = 2

    answer = here.video(seconds=8)

    request = here.opened(answer)
    told = answer.json()
    assert (told["object"], told["status"], told["seconds"], told["size"]) == ("video", "queued", "8", "1280x720")
    assert (told["prompt"], told["progress"], told["mintery"]["test"]) == (None, 0, True)
    assert here.money() == (HUNDRED - 8 * SECOND_NANOS, 8 * SECOND_NANOS, 0)
    assert answer.headers["x-mintery-receipt"] == request

    here.turn()
    told = here.get(f"/v1/videos/{request}").json()
    assert (told["status"], told["progress"], told["mintery"]["cost_nanocredits"]) == ("in_progress", 40, None)
    assert here.money()[1:] == (8 * SECOND_NANOS, 0)

    here.turn()
    told = here.get(f"/v1/videos/{request}").json()
    assert (told["status"], told["progress"], told["expires_at"]) == ("completed", 100, 1_700_086_400)
    assert told["mintery"]["cost_nanocredits"] == str(8 * SECOND_NANOS)
    assert here.money() == (HUNDRED - 8 * SECOND_NANOS, 0, 8 * SECOND_NANOS)
    receipt = here.ledger.receipt(request)
    assert receipt is not None
    check_arithmetic(receipt.receipt)
    [line] = receipt.receipt.lines
    assert (str(line.sku), line.quantity, receipt.receipt.source.value) == ("test/film:second.1280x720", 8, "provider")
    assert here.turn().looked == 0


def test_a_generic_job_tells_what_it_made_and_costs_what_its_provider_says(here: Studio):
    request = here.opened(here.song(duration=30))
    assert here.money()[1] == 30 * 100_000

    here.turn()

    told = here.get(f"/v1/jobs/{request}").json()
    assert (told["object"], told["status"], told["output"]) == (
        "job",
        "completed",
        [f"https://made.example/{here.jobs[0].id}"],
    )
    assert told["mintery"]["cost_nanocredits"] == str(30 * 100_000), "29.5 seconds are 30"
    assert here.jobs[0].fields == {"prompt": "a waltz", "duration": 30}


def test_the_stock_client_makes_a_video(stage: Studio):
    client = stage.rig.client(stage.key())
    with pytest.deprecated_call():
        video = client.videos.create(model="test/film", prompt="a dog", seconds="4", size="1280x720")
    stage.turn()

    with pytest.deprecated_call():
        video = client.videos.retrieve(video.id)
    with pytest.deprecated_call():
        made = client.videos.download_content(video.id, variant="thumbnail")
    with pytest.deprecated_call():
        listed = client.videos.list(limit=1)

    assert (video.status, video.seconds, video.size) == ("completed", "4", "1280x720")
    assert made.read() == b"[TEST] thumbnail of a dog"
    assert [each.id for each in listed.data] == [video.id]


def test_a_picture_goes_with_the_request_where_the_operator_lets_it(stage: Studio):
    fields = {"model": "test/film", "prompt": "a cat", "seconds": "4", "size": "1280x720"}
    answer = stage.post("/v1/videos", data=fields, files={"input_reference": ("a.png", b"\x89PNG")})

    stage.opened(answer)

    assert stage.jobs[0].fields["input_reference"] == "(a file)"


def test_what_was_made_leaves_as_it_is_and_never_as_a_page(stage: Studio):
    request = stage.opened(stage.video())
    stage.turn()

    answer = stage.get(f"/v1/videos/{request}/content")

    assert (answer.content, answer.headers["content-type"]) == (b"[TEST] video of a cat", "video/mp4")
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-security-policy"] == "sandbox"


def test_nothing_is_fetched_before_it_is_charged(stage: Studio):
    request, fetched = stage.opened(stage.video()), stage.control.fetched

    early = stage.get(f"/v1/videos/{request}/content")

    assert (early.status_code, early.json()["error"]["code"]) == (409, "job_not_done")
    assert early.headers["x-should-retry"] == "false"
    assert stage.control.fetched == fetched


def test_what_is_told_where_it_is_cannot_be_fetched_here(stage: Studio):
    request = stage.opened(stage.song())
    stage.turn()

    answer = stage.get(f"/v1/jobs/{request}/content")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "nothing_to_fetch")


def test_what_the_provider_no_longer_keeps_is_said_so_and_stays_charged(stage: Studio):
    request = stage.opened(stage.video("gone"))
    stage.turn()

    answer = stage.get(f"/v1/videos/{request}/content")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "nothing_to_fetch")
    assert stage.money()[2] == 8 * SECOND_NANOS


def test_a_job_that_fails_costs_nothing_and_says_why(here: Studio):
    request = here.opened(here.video("fails-later"))
    here.turn()

    told = here.get(f"/v1/videos/{request}").json()

    assert (told["status"], told["error"]["code"]) == ("failed", "moderation_blocked")
    assert here.get(f"/v1/videos/{request}/content").status_code == 409
    assert here.untouched
    job = here.job(request)
    assert (job.status, job.hold.released_for) == (JobStatus.FAILED, ReleaseReason.PROVIDER_FAILED)


def test_another_account_sees_nothing_of_it_and_the_operator_does(stage: Studio):
    request = stage.opened(stage.video())
    stranger = key_text(signer=private_key(77))
    stage.rig.fund(1, signer=private_key(77))

    for path in (f"/v1/videos/{request}", f"/v1/videos/{request}/content"):
        answer = stage.get(path, key=stranger)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "job_not_found")
    assert stage.get("/v1/videos", key=stranger).json()["data"] == []
    assert stage.get(f"/v1/videos?after={request}", key=stranger).status_code == 404
    assert stage.get(f"/v1/videos/{request}", key=OPERATOR).json()["id"] == request
    assert stage.get(f"/v1/jobs/{request}").status_code == 404, "it is no generic job"


def test_jobs_are_listed_page_by_page(stage: Studio):
    opened = [stage.opened(stage.video(seconds=1 + each)) for each in range(3)]

    first = stage.get("/v1/videos?limit=2").json()
    rest = stage.get(f"/v1/videos?limit=2&after={first['last_id']}").json()

    assert [each["id"] for each in first["data"] + rest["data"]] == opened[::-1]
    assert (first["has_more"], rest["has_more"]) == (True, False)


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"seconds": "21"}, 400, "seconds"),
        ({"seconds": "0"}, 400, "seconds"),
        ({"seconds": 4.5}, 400, "seconds"),
        ({"size": "720x1280"}, 422, "size"),
        ({"size": None}, 422, "size"),
        ({"size": 7}, 400, "size"),
        ({"prompt": ""}, 400, "prompt"),
        ({"remix": "x"}, 422, "remix"),
    ],
)
def test_a_video_that_is_not_bounded_is_refused_before_anything_is_held(
    stage: Studio, fields: dict[str, object], status: int, field: str
):
    answer = stage.video(fields=fields)

    assert (answer.status_code, answer.json()["error"]["param"]) == (status, field)
    assert stage.jobs == []
    assert stage.untouched


@pytest.mark.parametrize(
    "given",
    [{"prompt": "a"}, {"prompt": "a", "duration": 61}, {"prompt": "a", "duration": "9"}, {"duration": 9, "x": 1}],
)
def test_a_job_that_is_not_bounded_is_refused(stage: Studio, given: dict[str, object]):
    answer = stage.post("/v1/jobs", json={"model": "pred/song", "input": given})

    assert answer.status_code in {400, 422}
    assert stage.jobs == []


def test_a_job_that_may_outlast_an_exit_is_refused(stage: Studio):
    answer = stage.video("endless")

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "hold_too_long")
    assert stage.jobs == []


def test_a_quote_bounds_what_a_job_costs(stage: Studio):
    body = {"model": "test/film", "prompt": "a cat", "seconds": "8", "size": "1792x1024"}

    told = stage.post("/v1/quote", json=body).json()

    assert told["max_cost_nanocredits"] == str(5 * 8 * SECOND_NANOS)


def test_who_cannot_pay_opens_nothing(stage: Studio):
    answer = stage.video(fields={"seconds": "20", "size": "1792x1024"}, key=stage.key(credits_=5))

    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "voucher_exhausted")
    assert stage.jobs == []


def why(here: Studio, request: str) -> dict[str, object]:
    answer = here.get(f"/v1/why/{request}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_why_names_what_became_of_a_job(stage: Studio):
    failed = stage.opened(stage.video("fails-later"))
    done = stage.opened(stage.video())
    refused = stage.video("refuses-it").headers["x-mintery-request"]
    endless = stage.opened(stage.video("never-ends"))
    stage.turn()
    found = [why(stage, each) for each in (failed, done, refused, endless)]
    stage.turn(1_300)
    given_up = why(stage, endless)

    assert [each["cause"] for each in found] == ["provider", None, "model", None]
    assert "not this prompt" in str(found[0]["sentence"])
    assert found[0]["attempts"][0]["outcome"] == "failed_later"  # type: ignore[index]  # a list of calls
    assert "under way at test, 40 %" in str(found[3]["sentence"])
    assert (given_up["cause"], given_up["evidence"]["code"]) == ("provider", "too_slow")  # type: ignore[index]  # an object
