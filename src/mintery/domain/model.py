"""What is for sale: a model of a provider, and the units it is metered in."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mintery.domain.price import Sku
from mintery.domain.tiers import Window, unit_text
from mintery.domain.voucher import Kind
from mintery.units import BasisPoints


class Endpoint(StrEnum):
    CHAT = "chat"
    RESPONSES = "responses"
    EMBEDDINGS = "embeddings"
    MODERATION = "moderation"
    IMAGES = "images"
    SPEECH = "speech"
    TRANSCRIPTION = "transcription"
    VIDEOS = "videos"
    JOBS = "jobs"


class Unit(StrEnum):
    """Metered units, in the singular, as they end a SKU. No two count the same thing: what comes from a cache is a cached
    token and no input token. A SKU's unit may carry a variant after a point, as ``image.1024x1024-high`` does.
    """

    INPUT_TOKEN = "input_token"  # noqa: S105 -- a unit of text, no secret
    CACHED_INPUT_TOKEN = "cached_input_token"  # noqa: S105 -- a unit of text, no secret
    CACHE_WRITE_TOKEN = "cache_write_token"  # noqa: S105 -- a unit of text, no secret
    IMAGE_INPUT_TOKEN = "image_input_token"  # noqa: S105 -- a unit of pictures, no secret
    CACHED_IMAGE_TOKEN = "cached_image_token"  # noqa: S105 -- a unit of pictures, no secret
    AUDIO_INPUT_TOKEN = "audio_input_token"  # noqa: S105 -- a unit of sound, no secret
    CACHED_AUDIO_TOKEN = "cached_audio_token"  # noqa: S105 -- a unit of sound, no secret
    OUTPUT_TOKEN = "output_token"  # noqa: S105 -- a unit of text, no secret
    REASONING_TOKEN = "reasoning_token"  # noqa: S105 -- a unit of text, no secret
    IMAGE_OUTPUT_TOKEN = "image_output_token"  # noqa: S105 -- a unit of pictures, no secret
    AUDIO_OUTPUT_TOKEN = "audio_output_token"  # noqa: S105 -- a unit of sound, no secret
    REQUEST = "request"
    IMAGE = "image"
    SECOND = "second"
    CHARACTER = "character"


Quantities = Mapping[str, int]
"""How many of each unit, by the text that ends its SKU."""

PART_OF: Mapping[str, Unit] = {
    Unit.CACHED_INPUT_TOKEN: Unit.INPUT_TOKEN,
    Unit.CACHE_WRITE_TOKEN: Unit.INPUT_TOKEN,
    Unit.IMAGE_INPUT_TOKEN: Unit.INPUT_TOKEN,
    Unit.CACHED_IMAGE_TOKEN: Unit.CACHED_INPUT_TOKEN,
    Unit.AUDIO_INPUT_TOKEN: Unit.INPUT_TOKEN,
    Unit.CACHED_AUDIO_TOKEN: Unit.CACHED_INPUT_TOKEN,
    Unit.REASONING_TOKEN: Unit.OUTPUT_TOKEN,
    Unit.IMAGE_OUTPUT_TOKEN: Unit.OUTPUT_TOKEN,
    Unit.AUDIO_OUTPUT_TOKEN: Unit.OUTPUT_TOKEN,
}
"""What a unit is counted as where it is not sold, or not bounded, by itself."""


def nearest(unit: str, among: Container[str]) -> str | None:
    """``unit`` itself, or else the next wider one that is ``among`` them: its variant left out, then what it is part of."""
    wider: str | None = unit
    while wider is not None and wider not in among:
        base, point, _ = wider.partition(".")
        wider = base if point else PART_OF.get(wider)
    return wider


def input_tokens(quantities: Quantities) -> int:
    """All that came in, fresh or cached, as text or otherwise: what a price's tiers go by."""
    return sum([quantity for unit, quantity in quantities.items() if is_input(unit)])


def is_input(unit: str) -> bool:
    return nearest(unit, (Unit.INPUT_TOKEN,)) is not None


@dataclass(frozen=True, slots=True)
class Model:
    """One sellable model.

    Attributes:
        id: ``provider/model``, as apps name it and as its SKUs begin.
        upstream: the provider's own name for it.
        provider: the provider's name; ``provider_id`` its number in the registry.
        units: what the provider's reply is metered in: texts that end its SKUs.
        max_output_tokens: the cap that is put into a request that names none.
        context_tokens: the most input tokens that the provider takes.
        test: answers are made up by a stub; every person who sees the model is told.
        tiers: numbers of input tokens, ascending, above which other prices apply.
        windows: times of the day at which other prices apply; none overlap, and some of the day is outside all.
        serves: the logical name that it is one route of; empty where it goes by its id alone.
        quality: as declared, 0 to 1000.
        resale: its provider lets it be sold on; see ``Model.sold_on``.
        also: further endpoints that it answers at, at the same prices.
        image_tokens: the most tokens that one picture in a prompt counts as, whatever its size; 0 takes no pictures.
        audio_tokens: the most that one recording in a prompt counts as; 0 takes none.
        max_seconds: the longest recording that the provider writes down, or makes.
        job_seconds: the longest that one of its long jobs may take.
        inputs: fields of a long job's request that cost nothing more, as the operator vouches.
        counts: fields of a generic job's request, each with the unit that it says the number of.
        multiplier: basis points over the provider's price where the operator asks less than the project's markup; None for
            all of it.
        own_key: callers may bring their own key of the provider.
        backup: 0 for one that is asked first; higher ones only stand in, in their order.
        needs: the membership that it is kept for; empty for everybody.
    """

    id: str
    upstream: str
    provider: str
    provider_id: int
    kind: Kind
    endpoint: Endpoint
    units: frozenset[str]
    max_output_tokens: int
    context_tokens: int
    test: bool = False
    tiers: tuple[int, ...] = ()
    windows: tuple[Window, ...] = ()
    serves: str = ""
    quality: int = 500
    resale: bool = True
    also: frozenset[Endpoint] = frozenset()
    image_tokens: int = 0
    audio_tokens: int = 0
    max_seconds: int = 0
    job_seconds: int = 0
    inputs: frozenset[str] = frozenset()
    counts: tuple[tuple[str, str], ...] = ()
    multiplier: BasisPoints | None = None
    own_key: bool = False
    backup: int = 0
    needs: str = ""

    @property
    def skus(self) -> tuple[Sku, ...]:
        """Each unit in each window and tier."""
        names = ("", *(window.name for window in self.windows))
        texts = {unit_text(unit, name, above) for unit in self.units for name in names for above in (0, *self.tiers)}
        return tuple(Sku(self.id, text) for text in sorted(texts))

    @property
    def sold_on(self) -> bool:
        """Only routed projects sell a provider's models on."""
        return self.resale or self.kind is not Kind.ROUTED

    def sku(self, unit: str) -> Sku:
        return Sku(self.id, unit)
