"""A provider, or a page that is read, failed; or this gateway did while it answered."""

from mintery.errors.base import MinteryError


class ProviderFailed(MinteryError):
    """The model provider did not do its part. ``charged`` says whether the request ended with a charge."""

    def __init__(self, message: str, *, provider: str) -> None:
        super().__init__(message)
        self.provider = provider


class ProviderUnreachable(ProviderFailed):
    def __init__(self, provider: str) -> None:
        super().__init__(f"{provider} cannot be reached; nothing was charged", provider=provider)


class ProviderTimedOut(ProviderFailed):
    def __init__(self, provider: str, seconds: int) -> None:
        super().__init__(f"{provider} gave no answer within {seconds} s", provider=provider)
        self.seconds = seconds


class ProviderRefused(ProviderFailed):
    """The provider answered with an error status. ``body`` is its answer, at most 64 KiB."""

    def __init__(self, provider: str, status: int, body: bytes, retry_after: str | None = None) -> None:
        super().__init__(f"{provider} answered {status}; nothing was charged", provider=provider)
        self.status = status
        self.body = body
        self.retry_after = retry_after


class ProviderNonsense(ProviderFailed):
    def __init__(self, provider: str, why: str) -> None:
        super().__init__(f"{provider} answered with something else than its format: {why}", provider=provider)
        self.why = why


class NotInItsFormat(ProviderFailed):
    """The request could not be written for the provider, which was not called."""

    def __init__(self, provider: str, why: str) -> None:
        super().__init__(f"the request cannot be told to {provider} ({why}); nothing was charged", provider=provider)
        self.why = why


class AnswerTooLong(ProviderFailed):
    """The provider did what it was asked, and its answer is longer than we carry. It is charged; the receipt says how."""

    hint = "Ask for fewer choices, pictures or logprobs at once."

    def __init__(self, provider: str, limit: int) -> None:
        super().__init__(
            f"the answer of {provider} has more than {limit} bytes in one piece; the work is charged", provider=provider
        )
        self.limit = limit


class StreamBroke(ProviderFailed):
    """A stream ended early. What was delivered of it is charged; the receipt says how much."""

    def __init__(self, provider: str, request_id: str, why: str) -> None:
        super().__init__(
            f"the stream of {provider} broke: {why}; receipt {request_id} shows what it cost", provider=provider
        )
        self.request_id = request_id
        self.why = why


class FetchFailed(MinteryError):
    """A page that is read over HTTP did not come as it must. ``host`` is all of its address that is repeated."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host}: {why}")
        self.host = host
        self.why = why


class AnswerLost(MinteryError):
    """A fault of this gateway. Where a hold was placed, it is returned or, with evidence, charged."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} was lost by a fault of this gateway; its receipt shows what it cost")
        self.request_id = request_id
