"""Requests for long jobs, checked and bounded: videos in OpenAI's words, and whatever else a provider takes minutes for.

A video names its seconds and its size; where sizes have prices of their own, it comes down to exactly one of them. What it
leaves open is asked for by name, so the provider cannot choose a dearer one. A generic job carries an ``input`` of which the
operator has declared every field: those that say how many units are wanted, and those that cost nothing more.
"""

from collections.abc import Mapping
from typing import Any

from mintery.domain.model import Endpoint, Model, Unit
from mintery.errors import MalformedRequest, Unsupported
from mintery.providers.calls import Terms
from mintery.usecases.read_form import Upload
from mintery.usecases.shape_chat import TOKENS_PER_REQUEST
from mintery.usecases.shaped import ShapedRequest, check_fields, mapping, text, whole, written
from mintery.usecases.write_form import written_form

VIDEO_FIELDS = frozenset({"model", "prompt", "seconds", "size"})
JOB_FIELDS = frozenset({"model", "input"})
USUAL_SECONDS = 4
"""Of a video that does not say how long it is to be, as OpenAI has it."""
UNSOLD_SECONDS = 3_600
"""The longest that may be asked for where seconds cost nothing and the operator names no limit."""
LONGEST_SIZE = 32
_PREFIX = f"{Unit.SECOND}."


def shape_videos(model: Model, terms: Terms, fields: Mapping[str, Any], _choices: int) -> ShapedRequest:
    """Raises MalformedRequest, Unsupported: each with the field."""
    check_fields(fields, VIDEO_FIELDS, terms.extra_fields | model.inputs)
    text(fields, "prompt")
    seconds, named = _seconds(model, fields), {}
    unit = _choose_size(model, fields)
    if unit != Unit.SECOND:
        named["size"] = unit.removeprefix(_PREFIX)
    if sells_seconds(model) or fields.get("seconds") is not None:
        named["seconds"] = str(seconds)
    asked = {name: value for name, value in fields.items() if name != "model" and value is not None}
    known = {unit: seconds, Unit.REQUEST.value: 1}
    return ShapedRequest(
        Endpoint.VIDEOS,
        model,
        _body(model, terms, asked | named),
        False,
        False,
        known,
        known=known,
        variants={Unit.SECOND.value: unit},
        media_bytes=sum(len(value.content) for value in asked.values() if isinstance(value, Upload)),
        shown={"seconds": str(seconds), "size": str(named.get("size") or asked.get("size") or "")},
    )


def shape_jobs(model: Model, terms: Terms, fields: Mapping[str, Any], choices: int) -> ShapedRequest:
    """``choices`` bounds what is counted and is neither seconds nor text.

    Raises:
        MalformedRequest, Unsupported: each with the field.
    """
    check_fields(fields, JOB_FIELDS)
    asked = {name: value for name, value in mapping(fields, "input").items() if value is not None}
    counts = dict(model.counts)
    check_fields(asked, model.inputs | counts.keys(), terms.extra_fields)
    known = {Unit.REQUEST.value: 1}
    for name, unit in counts.items():
        known[unit] = known.get(unit, 0) + _counted(model, asked, name, unit, choices)
    body = _body(model, terms, asked)
    most = _bounds(model, len(body), choices) | known
    return ShapedRequest(Endpoint.JOBS, model, body, False, False, most, known=known)


def sells_seconds(model: Model) -> bool:
    return any(unit == Unit.SECOND or unit.startswith(_PREFIX) for unit in model.units)


def _seconds(model: Model, fields: Mapping[str, Any]) -> int:
    """As a number or its text: OpenAI's clients send the latter."""
    said = fields.get("seconds")
    most = model.max_seconds or UNSOLD_SECONDS
    if isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) < 7:
        said = int(said)
    return whole({"seconds": said}, "seconds", min(USUAL_SECONDS, most), most)


def _choose_size(model: Model, fields: Mapping[str, Any]) -> str:
    """The unit that the request comes down to."""
    size = fields.get("size")
    if size is not None and (not isinstance(size, str) or len(size) > LONGEST_SIZE):
        raise MalformedRequest(f"size must be a text of at most {LONGEST_SIZE} characters", field="size")
    sold = sorted(unit for unit in model.units if unit.startswith(_PREFIX))
    if not sold:
        return Unit.SECOND.value
    fitting = [unit for unit in sold if size in {None, unit.removeprefix(_PREFIX)}]
    if len(fitting) == 1:
        return fitting[0]
    choices = ", ".join(unit.removeprefix(_PREFIX) for unit in sold)
    if fitting:
        raise Unsupported(f"name the size, for their prices differ; {model.id} has {choices}", field="size")
    raise Unsupported(f"{model.id} makes videos of {choices} alone", field="size")


def _counted(model: Model, asked: Mapping[str, Any], name: str, unit: str, choices: int) -> int:
    """How many units a field says are wanted. One that is left out is the provider's to choose, so it may not be."""
    if unit == Unit.CHARACTER:
        return len(text(asked, name))
    if name not in asked:
        raise MalformedRequest(f"input.{name} says how much is wanted, and has to be there", field=name)
    return whole(asked, name, 0, model.max_seconds if unit == Unit.SECOND else choices)


def _bounds(model: Model, size: int, choices: int) -> dict[str, int]:
    """Of what the provider alone tells."""
    bounds = {
        Unit.SECOND.value: model.max_seconds,
        Unit.IMAGE.value: choices,
        Unit.CHARACTER.value: size,
        Unit.INPUT_TOKEN.value: min(size + TOKENS_PER_REQUEST, model.context_tokens),
        Unit.OUTPUT_TOKEN.value: model.max_output_tokens,
    }
    return {unit: most for unit, most in bounds.items() if unit in model.units}


def _body(model: Model, terms: Terms, asked: Mapping[str, Any]) -> bytes:
    form = terms.jobs
    named = {form.model_field: model.upstream} if form.model_field else {}
    if not form.multipart:
        if any(isinstance(value, Upload) for value in asked.values()):
            raise Unsupported(f"{model.id} takes no files", field="input_reference")
        return written({**({form.input_field: asked} if form.input_field else asked), **named})
    texts, files = dict(named), {}
    for name, value in asked.items():
        if name in named:
            continue
        if isinstance(value, Upload):
            files[name] = value
        elif isinstance(value, str):
            texts[name] = value
        else:
            raise MalformedRequest(f"{name[:80]} must be a text", field=name[:80])
    return written_form(texts, files, stem="input", suffix="bin")
