"""Usage in the shapes that OpenAI and those who follow it send, as quantities of which no two count the same thing.

Everywhere None means that it is missing, or not whole numbers. Wholes come with their parts ("of these, cached"); what is
left of a whole stands under the wider unit, below zero where the parts contradict it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mintery.domain.model import Unit
from mintery.providers.calls import Usage

Parts = Sequence[tuple[str, Unit]]

OF_PROMPT: Parts = (
    ("cached_tokens", Unit.CACHED_INPUT_TOKEN),
    ("cache_write_tokens", Unit.CACHE_WRITE_TOKEN),
    ("audio_tokens", Unit.AUDIO_INPUT_TOKEN),
    ("image_tokens", Unit.IMAGE_INPUT_TOKEN),
)
OF_COMPLETION: Parts = (
    ("reasoning_tokens", Unit.REASONING_TOKEN),
    ("audio_tokens", Unit.AUDIO_OUTPUT_TOKEN),
    ("image_tokens", Unit.IMAGE_OUTPUT_TOKEN),
)
_CACHED_BESIDE = ("prompt_cache_hit_tokens", "cached_tokens", "cached_prompt_text_tokens")
"""Where DeepSeek, Moonshot and xAI name cached tokens, beside the whole, with details that need not name them again."""


def read_usage(fields: Any, *, says: bool = True) -> Usage | None:
    """Of chat completions: ``prompt_tokens``, ``completion_tokens`` and their details. An answer that ``says`` nothing,
    embeddings or a moderation, may leave its completion out: it has none.
    """
    if not isinstance(fields, dict):
        return None
    of_prompt = _details(fields, "prompt_tokens_details")
    if not of_prompt.get("cached_tokens"):
        beside = next((fields[name] for name in _CACHED_BESIDE if fields.get(name)), None)
        of_prompt = {**of_prompt, "cached_tokens": beside}
    of_completion = fields.get("completion_tokens_details")
    if not isinstance(of_completion, dict):
        of_completion = {"reasoning_tokens": fields.get("reasoning_tokens")}
    prompt, completion = fields.get("prompt_tokens"), fields.get("completion_tokens")
    if not says:
        completion = completion or 0
    return _read(prompt, of_prompt, completion, of_completion, fields.get("total_tokens"))


def read_responses_usage(fields: Any) -> Usage | None:
    """Of the Responses API: ``input_tokens``, ``output_tokens`` and their details."""
    if not isinstance(fields, dict):
        return None
    of_input, of_output = _details(fields, "input_tokens_details"), _details(fields, "output_tokens_details")
    return _read(
        fields.get("input_tokens"), of_input, fields.get("output_tokens"), of_output, fields.get("total_tokens")
    )


def read_images_usage(fields: Any) -> Usage | None:
    """Of pictures: as Responses, but what was put out is pictures unless the details say otherwise."""
    usage = read_responses_usage(fields)
    if usage is None or "text_tokens" in _details(fields, "output_tokens_details"):
        return usage
    rest = usage[Unit.OUTPUT_TOKEN]
    if rest < 0:
        return usage  # the details contradict their whole, and must stand out
    pictures = usage.get(Unit.IMAGE_OUTPUT_TOKEN, 0) + rest
    return {unit: each for unit, each in usage.items() if unit != Unit.OUTPUT_TOKEN} | {
        Unit.IMAGE_OUTPUT_TOKEN: pictures
    }


def read_transcription_usage(answer: Mapping[str, Any]) -> Usage | None:
    """Of a transcription, by tokens or by seconds, the part of one that was begun counting whole."""
    fields = answer.get("usage")
    if isinstance(fields, dict) and "input_tokens" in fields:
        of_input, of_output = _details(fields, "input_token_details"), _details(fields, "output_token_details")
        return _read(fields["input_tokens"], of_input, fields.get("output_tokens") or 0, of_output, None)
    seconds = fields.get("seconds") if isinstance(fields, dict) else answer.get("duration")
    if type(seconds) is int or (type(seconds) is float and math.isfinite(seconds)):
        return {Unit.SECOND: math.ceil(seconds)}
    return None


def _details(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    details = fields.get(name)
    return details if isinstance(details, dict) else {}


def _read(
    prompt: Any, of_prompt: Mapping[str, Any], completion: Any, of_completion: Mapping[str, Any], total: Any
) -> Usage | None:
    if type(prompt) is not int or type(completion) is not int:
        return None
    usage: dict[str, int] = {Unit.INPUT_TOKEN: prompt, Unit.OUTPUT_TOKEN: completion}
    if not _split(usage, Unit.INPUT_TOKEN, of_prompt, OF_PROMPT):
        return None
    if not _split(usage, Unit.OUTPUT_TOKEN, of_completion, OF_COMPLETION):
        return None
    reasoning = usage.get(Unit.REASONING_TOKEN, 0)
    if reasoning > 0 and type(total) is int and total == prompt + completion + reasoning:
        usage[Unit.OUTPUT_TOKEN] += reasoning  # this provider counts reasoning beside the completion, not in it
    return usage


def _split(usage: dict[str, int], whole: Unit, details: Mapping[str, Any], parts: Parts) -> bool:
    """Take the parts out of their whole. A cached picture is told twice, as cached and as a picture: it counts as cached."""
    given = usage[whole]
    for name, unit in parts:
        part = details.get(name)
        if not part:
            continue
        if type(part) is not int:
            return False
        if 0 <= usage[whole] < part <= given and part - usage[whole] <= usage.get(Unit.CACHED_INPUT_TOKEN, 0):
            part = usage[whole]
        usage[unit] = part
        usage[whole] -= part
    return True
