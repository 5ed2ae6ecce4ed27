"""A gateway, as an app meets it."""

from mintery.errors.base import MinteryError


class GatewayError(MinteryError):
    """A gateway, as an app meets it."""


class GatewayUnreachable(GatewayError):
    hint = "Is it running? `mintery up` starts one; --url names another."

    def __init__(self, url: str, why: str) -> None:
        why = why.rpartition("] ")[2].lower() if why.startswith("[Errno ") else why
        super().__init__(f"no gateway answers at {url}: {why}")
        self.url = url
        self.why = why


class GatewayRefused(GatewayError):
    """The gateway's own words; ``status`` is its answer's, ``code`` its name for the reason, or empty."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
