"""What a client sends for a call, and how its tries are known again in the ledger."""

import hashlib
from dataclasses import dataclass

import orjson
from tests.faults.base import Base, Member
from tests.faults.gateway import CHAT, EMBED, LARGE
from tests.faults.page import BEGINNING
from tests.faults.scenario import Call, Shape

from mintery.client.vouchers import raise_voucher, sign_voucher_key
from mintery.units import CreditUnits, UnixSeconds

PATHS = {
    Shape.JSON: "/v1/chat/completions",
    Shape.STREAM: "/v1/chat/completions",
    Shape.EMBEDDING: "/v1/embeddings",
}
MAX_TOKENS = 40
STANDING = (5_000, 5_000, 3, 5_000, 5_000, 10, 5_000)
"""Each member's standing voucher in thousandths of a credit: two are at the edge of one request."""
RAISED = 6_000
_VALID = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Sent:
    """``known_by`` is how the ledger remembers the request's body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def known_by(self) -> bytes:
        return hashlib.sha256(b"POST " + self.path.encode() + b"\n" + self.body).digest()


class Wallets:
    """Every member's key, and the raised vouchers of single calls."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._keys: dict[int, str] = {}
        self._raised: dict[str, str] = {}

    def key_of(self, number: int) -> str:
        if number not in self._keys:
            member = self._base.members[number]
            self._keys[number] = sign_voucher_key(
                member.signer,
                self._base.town.chain.domain,
                token=member.key.token,
                gateway=member.key.gateway,
                max_spend=CreditUnits(STANDING[number] * 10**15),
                deadline=UnixSeconds(BEGINNING + _VALID),
                holder=member.key.holder,
                secret=hashlib.sha256(member.id.encode()).digest(),
            )
        return self._keys[number]

    def raised_for(self, call: Call) -> str:
        if call.name not in self._raised:
            member: Member = self._base.members[call.member]
            most = CreditUnits(RAISED * 10**15 + len(self._raised))
            domain = self._base.town.chain.domain
            self._raised[call.name] = raise_voucher(self.key_of(call.member), member.signer, domain, most)
        return self._raised[call.name]

    def sent(self, call: Call, retry: int = 0) -> Sent:
        headers = {"Authorization": f"Bearer {self.key_of(call.member)}", "Content-Type": "application/json"}
        if call.key is not None:
            headers["Idempotency-Key"] = call.key
        if call.raised:
            headers["Mintery-Voucher"] = self.raised_for(call)
        if retry:
            headers["x-stainless-retry-count"] = str(retry)
        return Sent(PATHS[call.shape], headers, _body(call))


def _body(call: Call) -> bytes:
    if call.shape is Shape.EMBEDDING:
        return orjson.dumps({"model": EMBED, "input": f"embed {call.name}", "user": call.name})
    fields = {
        "model": CHAT,
        "messages": [{"role": "user", "content": f"say {call.name}"}],
        "max_tokens": MAX_TOKENS,
        "user": call.name,
    }
    if call.first is not None:
        fields["models"] = [LARGE]
    return orjson.dumps(fields | ({"stream": True} if call.shape is Shape.STREAM else {}))
