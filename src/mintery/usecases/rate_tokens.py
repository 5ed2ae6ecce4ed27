"""How many tokens a request counts as against its account's rate, when it is sent."""

from mintery.domain.model import is_input
from mintery.units import ceil_div
from mintery.usecases.meter_usage import BYTES_PER_TOKEN
from mintery.usecases.shaped import ShapedRequest

_TOKEN = "_token"  # noqa: S105 -- how units of tokens end


def rate_tokens(request: ShapedRequest) -> int:
    """Its text as estimated, pictures and sound at their most, and the most that may come back: what OpenAI counts too.

    It is known before the answer, so it is not what the answer is charged by.
    """
    text = ceil_div(len(request.body) - request.media_bytes, BYTES_PER_TOKEN)
    output = sum(
        [most for unit, most in request.most.items() if unit.partition(".")[0].endswith(_TOKEN) and not is_input(unit)]
    )
    return text + request.media_tokens + output
