"""What is for sale: a model of a provider, and the units it is metered in."""

from dataclasses import dataclass
from enum import StrEnum

from mintery.domain.price import Sku
from mintery.domain.voucher import Kind


class Endpoint(StrEnum):
    CHAT = "chat"
    EMBEDDINGS = "embeddings"


class Unit(StrEnum):
    """Metered units, in the singular, as they end a SKU."""

    INPUT_TOKEN = "input_token"  # noqa: S105 -- a unit of text, no secret
    CACHED_INPUT_TOKEN = "cached_input_token"  # noqa: S105 -- a unit of text, no secret
    OUTPUT_TOKEN = "output_token"  # noqa: S105 -- a unit of text, no secret
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Model:
    """One sellable model.

    Attributes:
        id: ``provider/model``, as apps name it and as its SKUs begin.
        upstream: the provider's own name for it.
        provider: the provider's name; ``provider_id`` its number in the registry.
        units: what the provider's reply is metered in.
        max_output_tokens: the cap that is put into a request that names none.
        context_tokens: the most input tokens that the provider takes.
        test: answers are made up by a stub; every person who sees the model is told.
    """

    id: str
    upstream: str
    provider: str
    provider_id: int
    kind: Kind
    endpoint: Endpoint
    units: frozenset[Unit]
    max_output_tokens: int
    context_tokens: int
    test: bool = False

    def sku(self, unit: Unit) -> Sku:
        return Sku(self.id, unit)
