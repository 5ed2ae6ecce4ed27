"""Who may stand before the wallet's pages, and who may not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
from tests.gateway.rig import HOLDER, OPERATOR, Rig, key_text, private_key
from tests.wallet.browser import Browser, signed_in

from mintery.crypto.personal_messages import sign_personal
from mintery.domain.peer import TrustedProxies
from mintery.domain.sign_in import NONCE_LIFE, format_sign_in, parse_sign_in

STRANGER = private_key(900)


@pytest.fixture
def gateway(newcomer: Rig) -> Rig:
    return newcomer


def test_a_wallet_signs_in_and_out(gateway: Rig):
    browser = Browser(gateway)

    begun = browser.sign_in()

    assert begun.status_code == 200
    assert begun.json()["holder"] == HOLDER.address
    assert "token" not in begun.json() or begun.json()["token"] is None
    cookie = begun.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert browser.call("GET", "/v1/wallet/sign-in").json()["csrf"] == browser.csrf
    assert browser.call("DELETE", "/v1/wallet/sign-in").status_code == 204
    assert browser.call("GET", "/v1/wallet/sign-in").status_code == 401


def test_the_cookie_is_bound_to_an_https_host(gateway: Rig):
    _with(gateway, public_url="https://wallet.example")
    browser = Browser(gateway)

    begun = browser.sign_in()

    assert parse_sign_in(browser.message()).domain == "wallet.example"
    assert begun.headers["set-cookie"].startswith("__Host-mintery=")
    assert "secure" in begun.headers["set-cookie"].lower()


def test_an_https_site_takes_no_cookie_that_a_neighbour_can_set(gateway: Rig):
    _with(gateway, public_url="https://wallet.example")
    browser = Browser(gateway)
    browser.sign_in()
    token = browser.cookies["__Host-mintery"]

    browser.cookies = {"mintery": token}
    assert browser.call("GET", "/v1/wallet/sign-in").status_code == 401
    browser.cookies = {"__Host-mintery": token}
    assert browser.call("GET", "/v1/wallet/sign-in").status_code == 200
    _with(gateway, public_url=None)
    assert browser.call("GET", "/v1/wallet/sign-in").status_code == 401


def test_a_nonce_counts_once(gateway: Rig):
    browser = Browser(gateway)
    message = browser.message()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Browser(gateway).sign_in(message).status_code, range(8)))

    assert sorted(answers) == [200] + [401] * 7


def test_a_nonce_is_used_within_ten_minutes(gateway: Rig):
    browser, clock = Browser(gateway), gateway.parts.clock
    end = NONCE_LIFE - timedelta(seconds=1)
    first, second = browser.message(), browser.message()
    late = format_sign_in(replace(parse_sign_in(second), expires_at=None))

    _with(gateway, clock=lambda: clock() + end - timedelta(seconds=30))
    assert browser.sign_in(first).status_code == 200
    _with(gateway, clock=lambda: clock() + end + timedelta(seconds=1))
    assert browser.sign_in(late).status_code == 401


def test_a_nonce_that_was_never_offered_is_refused(gateway: Rig):
    message = format_sign_in(replace(parse_sign_in(Browser(gateway).message()), nonce="a" * 32))

    assert Browser(gateway).sign_in(message).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        lambda said: replace(said, domain="evil.example"),
        lambda said: replace(said, uri="https://evil.example"),
        lambda said: replace(said, chain_id=1),
        lambda said: replace(said, expires_at=said.issued_at - timedelta(seconds=1)),
        lambda said: replace(said, not_before=said.issued_at + timedelta(hours=1)),
        lambda said: replace(said, issued_at=said.issued_at - timedelta(hours=1), expires_at=None),
        lambda said: replace(said, issued_at=said.issued_at + timedelta(hours=1), expires_at=None),
        lambda said: replace(said, address=STRANGER.address),
    ],
    ids=["domain", "uri", "chain", "expired", "not yet", "old", "of tomorrow", "another's address"],
)
def test_what_was_signed_for_something_else_is_refused(gateway: Rig, change: Callable):
    message = format_sign_in(change(parse_sign_in(Browser(gateway).message())))

    refused = Browser(gateway).sign_in(message)

    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "sign_in_refused"


def test_another_host_name_that_points_here_signs_nobody_in(gateway: Rig):
    answer = gateway.http.post(gateway.base_url + "/v1/wallet/sign-in/nonce", headers={"Host": "evil.example"})

    assert answer.status_code == 401


def test_another_site_changes_nothing(gateway: Rig):
    browser = signed_in(gateway)
    out = ("DELETE", "/v1/wallet/sign-in")

    assert browser.without_csrf().call(*out).status_code == 403
    assert browser.call(*out, headers={"Mintery-CSRF": "0" * 64}).status_code == 403
    assert browser.call(*out, headers={"Origin": "https://evil.example"}).status_code == 403
    assert browser.call("GET", "/v1/wallet/sign-in").status_code == 200
    assert browser.call(*out, headers={"Origin": gateway.base_url}).status_code == 204


def test_a_page_elsewhere_cannot_sign_its_visitor_in(gateway: Rig):
    text = Browser(gateway).message()
    body = {"message": text, "signature": sign_personal(text, STRANGER)}

    answer = gateway.http.post(
        gateway.base_url + "/v1/wallet/sign-in", json=body, headers={"Origin": "https://evil.example"}
    )

    assert answer.status_code == 403


def test_a_program_keeps_a_token_and_needs_no_csrf(gateway: Rig):
    begun = Browser(gateway).sign_in(keep="token")
    token = begun.json()["token"]

    assert "set-cookie" not in begun.headers
    assert gateway.get("/v1/wallet/sign-in", key=token).json()["holder"] == HOLDER.address
    ended = gateway.http.delete(gateway.base_url + "/v1/wallet/sign-in", headers={"Authorization": f"Bearer {token}"})
    assert ended.status_code == 204
    assert gateway.get("/v1/wallet/sign-in", key=token).status_code == 401


def test_a_key_is_no_sign_in(gateway: Rig):
    assert gateway.get("/v1/wallet/sign-in", key=key_text()).status_code == 401


def test_the_operator_signs_in_with_the_operator_key(gateway: Rig):
    browser = Browser(gateway)

    assert browser.call("POST", "/v1/operator/sign-in", json={"key": "another"}).status_code == 403
    begun = browser.call("POST", "/v1/operator/sign-in", json={"key": OPERATOR})
    browser.cookies, browser.csrf = dict(begun.cookies), begun.json()["csrf"]

    assert browser.call("GET", "/v1/operator/status").status_code == 200
    assert browser.without_csrf().call("POST", "/v1/operator/drain").status_code == 403
    assert browser.call("POST", "/v1/operator/drain").status_code == 200
    assert browser.call("DELETE", "/v1/operator/drain").status_code == 200
    assert browser.call("GET", "/v1/wallet/sign-in").status_code == 401
    assert browser.call("DELETE", "/v1/operator/sign-in").status_code == 204
    assert browser.call("GET", "/v1/operator/status").status_code == 401


def test_wrong_operator_keys_are_counted_and_the_right_one_is_taken_all_the_same(gateway: Rig):
    # Of one peer, as behind a proxy that nobody named: a stranger's guesses look like the operator's own.
    now = gateway.parts.clock() + timedelta(minutes=5)
    _with(gateway, clock=lambda: now, proxies=TrustedProxies((ip_network("127.0.0.1"),)))

    def shown(key: str) -> int:
        body, peer = {"key": key}, {"X-Forwarded-For": "203.0.113.7"}
        return Browser(gateway).call("POST", "/v1/operator/sign-in", json=body, headers=peer).status_code

    assert [shown(f"guess {each}") for each in range(62)] == [403] * 60 + [429] * 2
    assert shown(OPERATOR) == 200


def test_a_holder_is_no_operator(gateway: Rig):
    browser = signed_in(gateway)
    browser.cookies = {"mintery-operator": browser.cookies["mintery"]}

    assert browser.call("GET", "/v1/operator/status").status_code == 401


def test_a_changed_operator_key_ends_the_operators_sign_ins(gateway: Rig):
    browser = Browser(gateway)
    begun = browser.call("POST", "/v1/operator/sign-in", json={"key": OPERATOR})
    browser.cookies = dict(begun.cookies)
    _with(gateway, operator_key_hash=b"\1" * 32)

    assert browser.call("GET", "/v1/operator/status").status_code == 401


def test_no_dev_key_opens_a_gateway_of_a_real_chain(gateway: Rig):
    assert Browser(gateway).call("POST", "/v1/wallet/sign-in/dev", json={"key": "dev"}).status_code == 401


def test_a_sign_in_lasts_twelve_hours(gateway: Rig):
    browser = signed_in(gateway)
    clock = gateway.parts.clock

    _with(gateway, clock=lambda: clock() + timedelta(hours=11, minutes=59))
    assert browser.call("GET", "/v1/wallet/sign-in").status_code == 200
    _with(gateway, clock=lambda: clock() + timedelta(hours=12))
    assert browser.call("GET", "/v1/wallet/sign-in").status_code == 401


def _with(gateway: Rig, **changes: object) -> object:
    """The running gateway's parts, changed while it runs."""
    for name, value in changes.items():
        object.__setattr__(gateway.parts, name, value)
    return gateway.parts


def test_each_tab_of_the_operators_browser_is_told_what_to_send(newcomer: Rig):
    tab = Browser(newcomer)
    newcomer.http.cookies.clear()  # another test's
    assert tab.call("GET", "/v1/operator/sign-in").status_code == 401
    begun = tab.call("POST", "/v1/operator/sign-in", json={"key": OPERATOR})
    tab.cookies |= dict(begun.cookies)

    told = tab.call("GET", "/v1/operator/sign-in")

    assert (told.json()["csrf"], told.json()["holder"]) == (begun.json()["csrf"], None)
    assert told.headers["cache-control"] == "no-store"
    tab.csrf = told.json()["csrf"]
    assert tab.call("DELETE", "/v1/operator/sign-in").status_code == 204
    assert tab.call("GET", "/v1/operator/sign-in").status_code == 401
