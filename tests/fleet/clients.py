"""Clients that pay as the stock client does: they send again what may be sent again, and say so."""

import asyncio
import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import aiohttp

RETRIES = 2
FIRST_PAUSE = 0.5
"""The stock client's own: twice as long each time, less up to a quarter."""
AGAIN = frozenset({408, 409, 429})
SECONDS = 60
PATH = "/v1/chat/completions"


class Saw(StrEnum):
    """What a client has of its call."""

    END = "end"
    """The whole answer."""
    REFUSAL = "refusal"
    """An error of the gateway's own, which forbids to send it again or came last."""
    NOTHING = "nothing"
    """Its connections broke, as often as it tried."""


@dataclass
class Call:
    """One call of an app: a prompt that no other call has. ``receipt`` is named by the answer or the error."""

    body: bytes
    key: str
    headers: Mapping[str, str]
    stream: bool
    saw: Saw = Saw.NOTHING
    receipt: str | None = None
    code: str = ""
    tries: int = 0

    @property
    def digest(self) -> bytes:
        """As the ledger knows the body again."""
        return hashlib.sha256(b"POST " + PATH.encode() + b"\n" + self.body).digest()


@dataclass
class Crowd:
    """``urls`` are asked anew for every try: where a balancer would send it."""

    urls: Callable[[], Sequence[str]]
    keys: Sequence[str]
    model: str
    seed: int
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    async def run(self, clients: int, until: asyncio.Event) -> None:
        """Every client calls again and again; what is under way when ``until`` is set is awaited."""
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            await asyncio.gather(*(self._client(session, number, until) for number in range(clients)))

    async def _client(self, session: aiohttp.ClientSession, number: int, until: asyncio.Event) -> None:
        while not until.is_set():
            await self._call(session, self._new_call(number))

    def _new_call(self, number: int) -> Call:
        stream = self._random.random() < 0.5
        prompt = f"call {len(self.calls)} of client {number}"
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": 20,
            "stream": stream,
        }
        headers = {"Idempotency-Key": prompt} if self._random.random() < 0.25 else {}
        call = Call(json.dumps(body).encode(), self.keys[number % len(self.keys)], headers, stream)
        self.calls.append(call)
        return call

    async def _call(self, session: aiohttp.ClientSession, call: Call) -> None:
        for retry in range(RETRIES + 1):
            call.tries = retry + 1
            again = await self._try(session, call, retry)
            if not again:
                return
            await asyncio.sleep(FIRST_PAUSE * 2**retry * self._random.uniform(0.75, 1))

    async def _try(self, session: aiohttp.ClientSession, call: Call, retry: int) -> bool:
        """Whether the stock client would send it again."""
        headers = {**call.headers, "Authorization": f"Bearer {call.key}", "Content-Type": "application/json"}
        headers["x-stainless-retry-count"] = str(retry)
        url = self._random.choice(self.urls())
        try:
            async with session.post(url + PATH, data=call.body, headers=headers) as answer:
                whole = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            call.saw = Saw.NOTHING
            return True
        call.receipt = answer.headers.get("x-request-id")
        if answer.status == 200:
            call.saw = Saw.END
            assert not call.stream or whole.endswith(b"data: [DONE]\n\n")
            return False
        call.saw, call.code = Saw.REFUSAL, json.loads(whole)["error"]["code"]
        told = answer.headers.get("x-should-retry")
        return told == "true" or (told is None and (answer.status in AGAIN or answer.status >= 500))
