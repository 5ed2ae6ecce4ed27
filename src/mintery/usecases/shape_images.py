"""A request for pictures, checked and bounded.

A model is sold by the picture (``image``, or one SKU for each size, and quality where it matters: ``image.1024x1024``,
``image.1024x1024-high``), by tokens, or both. Where sizes are SKUs of their own, the request must come down to exactly one
of them; what it leaves open is then asked for by name, so the provider cannot choose a dearer one.
"""

from collections.abc import Mapping
from typing import Any

from mintery.domain.model import Endpoint, Model, Unit
from mintery.errors import MalformedRequest, Unsupported
from mintery.providers.calls import Terms
from mintery.usecases.shape_chat import TOKENS_PER_REQUEST
from mintery.usecases.shaped import NONE, ShapedRequest, check_fields, check_harmless, text, whole, written

IMAGE_FIELDS = frozenset(
    {
        "model", "prompt", "n", "size", "quality", "response_format", "output_format", "output_compression",
        "background", "moderation", "style", "user", "seed", "stream",
    }
)  # fmt: skip
HARMLESS: Mapping[str, tuple[Any, ...]] = {"stream": (None, False)}
"""Pictures that are shown before they are done cost more."""
_PREFIX = f"{Unit.IMAGE}."
_OPEN = (None, "auto")


def shape_images(model: Model, terms: Terms, fields: Mapping[str, Any], choices: int) -> ShapedRequest:
    """``choices`` is the most pictures that one request may ask for.

    Raises:
        MalformedRequest, Unsupported: each with the field.
    """
    check_fields(fields, IMAGE_FIELDS, terms.extra_fields)
    check_harmless(fields, HARMLESS)
    text(fields, "prompt")
    count = whole(fields, "n", 1, choices)
    chosen = _choose(model, fields)
    body = written({**fields, **(NONE if chosen is None else _named(chosen)), "model": model.upstream})
    unit = str(Unit.IMAGE) if chosen is None else chosen
    most: dict[str, int] = {
        unit: count,
        Unit.INPUT_TOKEN: min(len(body) + TOKENS_PER_REQUEST, model.context_tokens),
        Unit.OUTPUT_TOKEN: model.max_output_tokens * count,
        Unit.REQUEST: 1,
    }
    if Unit.IMAGE_INPUT_TOKEN in model.units:
        most[Unit.IMAGE_INPUT_TOKEN] = 0
    return ShapedRequest(Endpoint.IMAGES, model, body, False, False, most, variants={Unit.IMAGE: unit})


def _choose(model: Model, fields: Mapping[str, Any]) -> str | None:
    """The SKU's unit that the request comes down to; None where pictures of all sizes cost the same.

    Raises:
        MalformedRequest, Unsupported
    """
    wanted = {}
    for name in ("size", "quality"):
        wanted[name] = fields.get(name)
        if wanted[name] is not None and not isinstance(wanted[name], str):
            raise MalformedRequest(f"{name} must be a text", field=name)
    sold = sorted(unit for unit in model.units if unit.startswith(_PREFIX))
    if not sold:
        return None
    fitting = [unit for unit in sold if _fits(_named(unit), wanted)]
    if len(fitting) == 1:
        return fitting[0]
    choices = ", ".join(unit.removeprefix(_PREFIX) for unit in fitting or sold)
    if fitting:
        raise Unsupported(f"name the size and quality, for their prices differ; {model.id} has {choices}", field="size")
    raise Unsupported(f"{model.id} sells pictures of {choices} alone", field="size")


def _named(unit: str) -> Mapping[str, str]:
    size, dash, quality = unit.removeprefix(_PREFIX).partition("-")
    return {"size": size, "quality": quality} if dash else {"size": size}


def _fits(named: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    """A quality that the SKU does not name is none of its price, so any will do."""
    return all(wanted[name] in _OPEN or wanted[name] == value for name, value in named.items())
