"""Parts of a message: texts by their bytes; pictures and sound by their number, for their bytes say nothing of their tokens.

A picture may be an address that the provider fetches: it counts as what the model's ``image_tokens`` say any picture does,
whatever its size. Where the providers file does not say it, pictures are refused; so is sound without ``audio_tokens``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mintery.domain.model import Model, Quantities, Unit
from mintery.errors import MalformedRequest, Unsupported
from mintery.usecases.shaped import check_known

TEXT_KINDS = frozenset({"text", "refusal", "input_text", "output_text"})
TEXT_FIELDS = frozenset({"type", "text", "refusal", "annotations", "logprobs"})
IMAGE_FIELDS = frozenset({"type", "image_url", "detail"})
SOUND_FIELDS = frozenset({"type", "input_audio"})
DETAILS = (None, "auto", "low", "high")
SOUNDS = ("wav", "mp3")
_ADDRESSES = ("data:image/", "https://", "http://")


@dataclass(slots=True)
class Media:
    """What a request's messages carry beside text."""

    bytes: int = 0
    images: int = 0
    clips: int = 0

    def tokens(self, model: Model) -> int:
        """The most that they count as."""
        return self.images * model.image_tokens + self.clips * model.audio_tokens

    def bound(self, most: dict[str, int], model: Model) -> Quantities:
        """``most`` with nothing for what a model sells and this request does not carry: text is held for as text."""
        if not self.images and Unit.IMAGE_INPUT_TOKEN in model.units:
            most[Unit.IMAGE_INPUT_TOKEN] = 0
        if not self.clips and Unit.AUDIO_INPUT_TOKEN in model.units:
            most[Unit.AUDIO_INPUT_TOKEN] = 0
        return most


def read_part(model: Model, part: Any, media: Media, field: str) -> None:
    """Check one part and count it.

    Raises:
        MalformedRequest, Unsupported
    """
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(kind, str) and kind in TEXT_KINDS:
        check_known(part, TEXT_FIELDS, field, model)
    elif kind in ("image_url", "input_image"):
        check_known(part, IMAGE_FIELDS, field, model)
        _read_image(model, part, media, field)
    elif kind == "input_audio":
        check_known(part, SOUND_FIELDS, field, model)
        _read_sound(model, part.get("input_audio"), media, field)
    else:
        raise Unsupported("only texts, pictures and sound are supported: other parts have no known cost", field=field)


def _read_image(model: Model, part: Mapping[str, Any], media: Media, field: str) -> None:
    if not model.image_tokens:
        raise Unsupported(f"{model.id} is not sold with pictures", field=field)
    given = part.get("image_url")
    image = given if isinstance(given, dict) else {"url": given, "detail": part.get("detail")}
    check_known(image, frozenset({"url", "detail"}), field, model)
    url, detail = image.get("url"), image.get("detail")
    if not isinstance(url, str) or not url.startswith(_ADDRESSES):
        raise MalformedRequest("a picture is an address, or its bytes as data:image/…", field=field)
    if detail not in DETAILS:
        raise Unsupported("a picture's detail is auto, low or high", field=field)
    media.images += 1
    media.bytes += len(url.encode())


def _read_sound(model: Model, sound: Any, media: Media, field: str) -> None:
    if not model.audio_tokens or Unit.AUDIO_INPUT_TOKEN not in model.units:
        raise Unsupported(f"{model.id} is not sold with sound", field=field)
    if not isinstance(sound, dict) or not isinstance(sound.get("data"), str) or sound.get("format") not in SOUNDS:
        raise MalformedRequest("sound has its bytes as base64 in data, and wav or mp3 as its format", field=field)
    check_known(sound, frozenset({"data", "format"}), field, model)
    media.clips += 1
    media.bytes += len(sound["data"].encode())
