"""Speech to be written down, checked and bounded.

How long a recording is cannot be told from its bytes, and its header may lie. So the bound is what the provider takes at
most: ``max_seconds`` of the model, or its ``context_tokens``. Only answers in JSON report what was used.
"""

from collections.abc import Mapping
from typing import Any

from mintery.domain.model import Endpoint, Model, Unit, nearest
from mintery.errors import MalformedRequest, Unsupported
from mintery.providers.calls import Terms
from mintery.usecases.read_form import Upload
from mintery.usecases.shape_chat import TOKENS_PER_REQUEST
from mintery.usecases.shaped import ShapedRequest, check_fields
from mintery.usecases.write_form import written_form

TRANSCRIPTION_FIELDS = frozenset(
    {
        "model", "file", "language", "prompt", "response_format", "temperature", "timestamp_granularities[]", "stream",
        "include[]",
    }
)  # fmt: skip
ANSWERS = ("json", "verbose_json", "diarized_json")


def shape_transcription(model: Model, terms: Terms, fields: Mapping[str, Any], _choices: int) -> ShapedRequest:
    """``fields`` are those of a form; see ``read_form``. ``timestamp_granularities[]`` and the like may be lists.

    Raises:
        MalformedRequest, Unsupported: each with the field.
    """
    check_fields(fields, TRANSCRIPTION_FIELDS, terms.extra_fields)
    recording = fields.get("file")
    if not isinstance(recording, Upload) or not recording.content:
        raise MalformedRequest("file must be a recording that is not empty", field="file")
    if fields.get("response_format", "json") not in ANSWERS:
        raise Unsupported("response_format is supported as json or verbose_json: others report no usage")
    if fields.get("stream", "false") != "false":
        raise Unsupported("a transcription is not streamed", field="stream")
    if not model.max_seconds and any(nearest(unit, {Unit.SECOND}) for unit in model.units):
        raise Unsupported(f"{model.id} is sold by the second, and nobody said how many it takes at most", field="model")
    texts = {name: value for name, value in fields.items() if name != "file"} | {"model": model.upstream}
    for name, value in texts.items():
        if not all(isinstance(each, str) for each in (value if isinstance(value, list) else (value,))):
            raise MalformedRequest(f"{name} must be a text", field=name)
    body = written_form(texts, {"file": recording}, stem="recording", suffix="wav")
    prompt = len(str(fields.get("prompt", "")).encode()) + TOKENS_PER_REQUEST
    most: dict[str, int] = {
        Unit.SECOND: model.max_seconds,
        Unit.INPUT_TOKEN: model.context_tokens,
        Unit.OUTPUT_TOKEN: model.max_output_tokens,
        Unit.REQUEST: 1,
    }
    if Unit.AUDIO_INPUT_TOKEN in model.units:
        most |= {Unit.INPUT_TOKEN: min(prompt, model.context_tokens), Unit.AUDIO_INPUT_TOKEN: model.context_tokens}
    return ShapedRequest(Endpoint.TRANSCRIPTION, model, body, False, False, most, media_bytes=len(recording.content))
