"""A holder's browser without its pages: it signs in, keeps its cookie, and sends what its pages would."""

from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
from tests.gateway.rig import HOLDER, Rig

from mintery.crypto.keys import PrivateKey
from mintery.crypto.personal_messages import sign_personal


@dataclass
class Browser:
    gateway: Rig
    key: PrivateKey = field(default_factory=lambda: HOLDER)
    csrf: str | None = None
    cookies: dict[str, str] = field(default_factory=dict)

    def message(self) -> str:
        answer = self.call("POST", f"/v1/wallet/sign-in/nonce?address={self.key.address}")
        assert answer.status_code == 200, answer.text
        message: str = answer.json()["message"]
        return message

    def sign_in(self, message: str | None = None, **fields: Any) -> httpx2.Response:
        text = message or self.message()
        body = {"message": text, "signature": sign_personal(text, self.key), **fields}
        answer = self.call("POST", "/v1/wallet/sign-in", json=body)
        if answer.status_code == 200:
            self.csrf = answer.json()["csrf"]
            self.cookies |= dict(answer.cookies)
        return answer

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = dict(options.pop("headers", {}))
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.csrf is not None:
            headers.setdefault("Mintery-CSRF", self.csrf)
        return self.gateway.http.request(method, self.gateway.base_url + path, headers=headers, **options)

    def without_csrf(self) -> "Browser":
        return replace(self, csrf=None)


def signed_in(gateway: Rig, key: PrivateKey = HOLDER) -> Browser:
    browser = Browser(gateway, key)
    assert browser.sign_in().status_code == 200
    return browser
