"""Raises a voucher for each request, so that the gateway never holds a promise much larger than what was used."""

import hashlib
import itertools
import secrets
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Generator

import httpx2

from mintery.client.vouchers import raise_voucher
from mintery.crypto.keys import PrivateKey
from mintery.domain.voucher import EscrowDomain
from mintery.units import UNITS_PER_NANO, CreditUnits

VOUCHER_HEADER = "Mintery-Voucher"
_RETRY_HEADER = "x-stainless-retry-count"
_REMEMBERED = 1_024


class VoucherAuth(httpx2.Auth):
    """Signs ``Mintery-Voucher`` for every request that spends, up to ``cap`` and never above it.

    The key itself may promise nothing (``max_spend`` 0): the first request asks the gateway what the account has spent,
    and each one after that raises the promise by ``per_request``. At the cap no more is signed, and the gateway answers
    402 once the credits behind it are used. A retry presents the voucher of the attempt that it repeats, so it joins
    that attempt and pays once. Safe to share between threads.

    Args:
        per_request: credit base units that one request may cost at most.
        cap: credit base units, counted from the start of the account's epoch as in every voucher.
    """

    def __init__(
        self, voucher_key: str, signer: PrivateKey, domain: EscrowDomain, *, per_request: CreditUnits, cap: CreditUnits
    ) -> None:
        self._key, self._signer, self._domain = voucher_key, signer, domain
        self._per_request, self._cap = per_request, cap
        self._promised: int | None = None
        self._rests = itertools.count(secrets.randbelow(UNITS_PER_NANO))
        self._presented: OrderedDict[bytes, str] = OrderedDict()
        self._lock = threading.Lock()

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key}"
        if _spends(request):
            body = request.read()
            if self._promised is None:
                answer = yield self._credits_request(request)
                answer.read()
                self._start_from(answer)
            self._present(request, body)
        yield request

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        request.headers["Authorization"] = f"Bearer {self._key}"
        if _spends(request):
            body = await request.aread()
            if self._promised is None:
                answer = yield self._credits_request(request)
                await answer.aread()
                self._start_from(answer)
            self._present(request, body)
        yield request

    def _credits_request(self, request: httpx2.Request) -> httpx2.Request:
        root, _, _ = request.url.path.partition("/v1/")
        url = request.url.copy_with(raw_path=f"{root}/v1/credits".encode())
        return httpx2.Request("GET", url, headers={"Authorization": f"Bearer {self._key}"})

    def _start_from(self, answer: httpx2.Response) -> None:
        """A refusal changes nothing here: the request itself will meet it, and the client shows it."""
        if answer.is_success:
            funds = answer.json()
            counted = int(funds["voucher"]["spent_nanocredits"]) + int(funds["held_nanocredits"])
            with self._lock:
                if self._promised is None:
                    self._promised = counted * UNITS_PER_NANO

    def _present(self, request: httpx2.Request, body: bytes) -> None:
        attempt = hashlib.sha256(request.url.raw_path + b"\0" + body).digest()
        with self._lock:
            if self._promised is None or self._cap < UNITS_PER_NANO:
                return
            raised = self._presented.get(attempt) if int(request.headers.get(_RETRY_HEADER, "0")) else None
            if raised is None:
                # One nanocredit below the cap leaves room for the rest that tells equal promises apart.
                self._promised = min(self._promised + self._per_request, self._cap - UNITS_PER_NANO)
                whole = self._promised // UNITS_PER_NANO * UNITS_PER_NANO
                most = CreditUnits(whole + next(self._rests) % UNITS_PER_NANO)
                raised = raise_voucher(self._key, self._signer, self._domain, most)
                self._remember(attempt, raised)
        request.headers[VOUCHER_HEADER] = raised

    def _remember(self, attempt: bytes, raised: str) -> None:
        self._presented[attempt] = raised
        self._presented.move_to_end(attempt)
        while len(self._presented) > _REMEMBERED:
            self._presented.popitem(last=False)


def _spends(request: httpx2.Request) -> bool:
    return request.method == "POST" and not request.url.path.endswith("/quote")
