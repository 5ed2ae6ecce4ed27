"""Models as a providers file declares them, for price lists."""

from mintery.domain.model import Endpoint, Model, Unit
from mintery.domain.tiers import Window, parse_window
from mintery.domain.voucher import Kind


def window(name: str, start: str, end: str) -> Window:
    return parse_window(name, start, end)


def declared(
    id_: str, *, tiers: tuple[int, ...] = (), windows: tuple[Window, ...] = (), upstream: str | None = None
) -> dict[str, Model]:
    provider, _, name = id_.partition("/")
    model = Model(
        id=id_,
        upstream=upstream or name,
        provider=provider,
        provider_id=1,
        kind=Kind.ROUTED,
        endpoint=Endpoint.CHAT,
        units=frozenset({Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN, Unit.REQUEST}),
        max_output_tokens=1_000,
        context_tokens=1_000_000,
        tiers=tiers,
        windows=windows,
    )
    return {id_: model}
