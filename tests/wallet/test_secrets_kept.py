"""What is secret is in no log, no table, no metric and no error."""

import hashlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.databases import new_ledger
from tests.fakes.stripe_account import API_KEY, WEBHOOK_SECRET
from tests.gateway.rig import HOLDER, IDENTITY, OPERATOR, SECRET, key_text, raised_text, rig
from tests.wallet.browser import Browser
from tests.wallet.keys import made_key, signed_offer
from tests.wallet.test_orders import Shop, placed

from mintery.crypto.personal_messages import sign_personal
from mintery.ledger.store import open_ledger

PROMPT = "the-prompt-that-nobody-keeps"
OWN_KEY = "sk-the-callers-own-key"
SETTLER_BYTES = (105).to_bytes(32)
"""Of ``rig.SETTLER``."""
UPSTREAM_KEY = "sk-upstream-1234"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_ledger(new_ledger(tmp_path / "ledger.sqlite"), IDENTITY) as ledger:
        opened = Shop(ledger)
        with rig(ledger, desk=opened.desk) as running:
            running.fund(100)
            opened.gateway = running
            yield opened


def test_no_secret_is_left_anywhere(shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    gateway, errors = shop.gateway, list[httpx2.Response]()
    secrets = {"operator": OPERATOR, "upstream": UPSTREAM_KEY, "own": OWN_KEY, "prompt": PROMPT}
    secrets |= {
        "webhook": WEBHOOK_SECRET,
        "card account's": API_KEY,
        "settler's": SETTLER_BYTES.hex(),
        "voucher's": SECRET.hex(),
    }

    # A holder signs in, by a browser and by a program, makes keys and has one renewed.
    browser = Browser(gateway)
    message = browser.message()
    assert browser.sign_in(message).status_code == 200
    secrets |= {"cookie": browser.cookies["mintery"], "csrf": browser.csrf or ""}
    secrets["sign-in's signature"] = sign_personal(message, HOLDER)[2:]
    errors.append(Browser(gateway).sign_in(message))
    secrets["token"] = Browser(gateway).sign_in(keep="token").json()["token"]
    made = made_key(browser)
    secrets["key"] = made["api_key"]
    renewed = browser.call("POST", f"/v1/wallet/keys/{made['id']}/rotate", json={"overlap_seconds": 0})
    secrets["new key"] = renewed.json()["api_key"]
    secrets |= {"mv1": key_text(), "raised": raised_text(credits_=50)}
    # Apps ask by each of them, and are refused.
    for key in (secrets["new key"], secrets["mv1"]):
        assert gateway.chat(key=key, text=PROMPT).status_code == 200
        with gateway.client(key).chat.completions.create(
            model="test/echo", messages=[{"role": "user", "content": PROMPT}], max_tokens=50, stream=True
        ) as stream:
            assert list(stream)
        errors.append(gateway.chat("test/no-such-model", key=key, text=PROMPT))
        errors.append(gateway.chat(key=key, text=PROMPT, headers={"Mintery-Provider-Key": OWN_KEY}))
        errors.append(gateway.chat(key=key, text=PROMPT, max_tokens=10**9))
        errors.append(gateway.chat("test/refuses", key=key, text=PROMPT))
    errors.append(gateway.chat(key=secrets["key"], text=PROMPT))
    errors.append(gateway.chat(key=secrets["mv1"], text=PROMPT, headers={"Mintery-Voucher": secrets["raised"] + "x"}))
    errors.append(gateway.post("/v1/chat/completions", content=PROMPT + "{"))
    errors.append(gateway.chat(key=secrets["mv1"][:-1] + "!", text=PROMPT))
    # Money is brought in, and others try to do all of this.
    order = placed(browser, "card")
    errors.append(shop.hook(f"{order['id']} {PROMPT}".encode(), "t=1,v1=00"))
    errors.append(browser.without_csrf().call("POST", "/v1/wallet/keys", json={"label": secrets["new key"]}))
    changed = {"label": "x", "voucher": {**signed_offer(browser), "epoch": 9}}
    errors.append(browser.call("POST", "/v1/wallet/keys", json=changed))
    errors.append(Browser(gateway).call("POST", "/v1/operator/sign-in", json={"key": OPERATOR + "x"}))
    errors.append(Browser(gateway).call("POST", "/v1/wallet/sign-in/dev", json={"key": secrets["token"]}))
    assert browser.call("DELETE", "/v1/wallet/sign-in").status_code == 204
    errors.append(browser.call("GET", "/v1/wallet/keys"))

    assert [answer.status_code for answer in errors if answer.is_success] == []
    # What was delivered is kept for retries no longer.
    assert gateway.settled(lambda: PROMPT not in "".join(dumped(tmp_path / "ledger.sqlite")))
    told = {
        "log": "".join(f"{each.getMessage()}{each.__dict__}" for each in caplog.records if not _is_the_apps(each)),
        "metrics": gateway.operator("GET", "/metrics").text,
        "status": gateway.operator("GET", "/v1/operator/status").text,
        "errors": "".join(f"{answer.text}{dict(answer.headers)}" for answer in errors),
        "ledger": "".join(dumped(tmp_path / "ledger.sqlite")),
    }
    found = {
        f"the {name} is in the {place}"
        for place, text in told.items()
        for name, secret in secrets.items()
        for form in forms(secret)
        if form in text
    }
    assert found == set()
    assert all(len(text) > 100 for text in told.values())
    assert hashlib.sha256(secrets["new key"].encode()).digest().decode("latin-1") in told["ledger"], (
        "the ledger was read"
    )


def dumped(path: Path) -> Iterator[str]:
    """Every value of every table, bytes as they are."""
    connection = sqlite3.connect(path)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 -- names that the database gave
            yield from (value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row)
    connection.close()


def _is_the_apps(record: logging.LogRecord) -> bool:
    """What the calling side says in this process, where it runs beside the gateway in a test alone."""
    return record.name.partition(".")[0] in {"httpx2", "httpcore2", "openai"}


def forms(secret: str) -> Iterator[str]:
    """As it is, and where it is hex as the bytes that it stands for."""
    yield secret
    if len(secret) >= 64 and not set(secret) - set("0123456789abcdef"):
        yield bytes.fromhex(secret).decode("latin-1")
