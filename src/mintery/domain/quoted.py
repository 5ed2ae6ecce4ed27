"""What a hold was placed for, kept beside it: a receipt can then be written when the process that quoted it is gone."""

from typing import Any, NamedTuple

import orjson

from mintery.domain.keys import KeyId
from mintery.domain.price import PriceState
from mintery.domain.quote import PricedLine, Quote
from mintery.domain.receipt import line_facts, parse_line
from mintery.domain.voucher import Kind
from mintery.units import BasisPoints, Par


class Quoted(NamedTuple):
    """The quote's facts that its receipt repeats.

    Attributes:
        lines: the most units that the request could use, at the prices pinned for it.
        stream: it is answered as server-sent events.
        test: the provider is a stub that makes its answers up.
        asked: the name that the request gave, where it is not the model's own.
        key: the gateway key that asked.
        own_key: the caller's own key pays the provider.
        session: the mark of the session that asked, where it left the route open.
    """

    model: str
    provider: str
    upstream: str
    kind: Kind
    stream: bool
    test: bool
    state: PriceState
    lines: tuple[PricedLine, ...]
    par: Par
    markup: BasisPoints
    asked: str | None = None
    key: KeyId | None = None
    own_key: bool = False
    session: str | None = None

    @classmethod
    def of(cls, quote: Quote, *, stream: bool, asked: str | None = None, key: KeyId | None = None) -> "Quoted":
        model = quote.model
        return cls(
            model=model.id,
            provider=model.provider,
            upstream=model.upstream,
            kind=model.kind,
            stream=stream,
            test=model.test,
            state=quote.state,
            lines=quote.most,
            par=quote.par,
            markup=quote.markup,
            asked=asked,
            key=key,
            own_key=quote.own_key,
        )


def quoted_text(quoted: Quoted) -> str:
    """As JSON, for the ledger."""
    facts = {
        "model": quoted.model,
        "provider": quoted.provider,
        "upstream_model": quoted.upstream,
        "kind": quoted.kind.value,
        "stream": quoted.stream,
        "test": quoted.test,
        "price_state": quoted.state.value,
        "most": [line_facts(line) for line in quoted.lines],
        "par": quoted.par,
        "markup_bps": quoted.markup,
    }
    if quoted.asked is not None:
        facts["asked"] = quoted.asked
    if quoted.key is not None:
        facts["key"] = quoted.key
    if quoted.own_key:
        facts["own_key"] = True
    if quoted.session is not None:
        facts["session"] = quoted.session
    return orjson.dumps(facts).decode()


def parse_quoted(text: str) -> Quoted:
    """Reads what ``quoted_text`` wrote."""
    fields: dict[str, Any] = orjson.loads(text)
    return Quoted(
        model=fields["model"],
        provider=fields["provider"],
        upstream=fields["upstream_model"],
        kind=Kind(fields["kind"]),
        stream=fields["stream"],
        test=fields["test"],
        state=PriceState(fields["price_state"]),
        lines=tuple(parse_line(line) for line in fields["most"]),
        par=Par(fields["par"]),
        markup=BasisPoints(fields["markup_bps"]),
        asked=fields.get("asked"),
        key=fields.get("key"),
        own_key=fields.get("own_key", False),
        session=fields.get("session"),
    )
