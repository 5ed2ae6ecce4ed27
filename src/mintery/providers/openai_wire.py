"""OpenAI's own format: bodies and answers pass byte for byte."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mintery.domain.model import Endpoint
from mintery.errors import ProviderNonsense
from mintery.providers.calls import Reply, StreamEvent
from mintery.providers.reading import plain_bytes, read_event, read_reply, read_response_event
from mintery.providers.wires import EventReader, Sent, names_in

PATHS = {
    Endpoint.CHAT: "/chat/completions",
    Endpoint.RESPONSES: "/responses",
    Endpoint.EMBEDDINGS: "/embeddings",
    Endpoint.MODERATION: "/moderations",
    Endpoint.IMAGES: "/images/generations",
    Endpoint.SPEECH: "/audio/speech",
    Endpoint.TRANSCRIPTION: "/audio/transcriptions",
}
MAX_CHUNK_BYTES = 1024 * 1024
MAX_RESPONSE_BYTES = 16 * 1024 * 1024
"""The last event of a Response repeats all of it."""


class OpenAIWire:
    """Its list of models: https://platform.openai.com/docs/api-reference/models/list."""

    models_path = "/models"

    def offered(self, provider: str, body: bytes) -> Sequence[str]:
        return names_in(provider, body, "data", "id")

    def headers(self, api_key: str | None) -> Mapping[str, str]:
        return {} if api_key is None else {"Authorization": f"Bearer {api_key}"}

    def check(self, _fields: Mapping[str, Any]) -> None:
        """It says everything."""

    def sent(self, endpoint: Endpoint, body: bytes) -> Sent:
        if endpoint is not Endpoint.TRANSCRIPTION:
            return Sent(PATHS[endpoint], body)
        boundary = body[2 : body.index(b"\r\n")].decode()  # a form begins with it
        return Sent(PATHS[endpoint], body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def read(self, provider: str, endpoint: Endpoint, body: bytes, content_type: str) -> Reply:
        return read_reply(provider, endpoint, body, content_type)

    def events(self, provider: str, endpoint: Endpoint) -> EventReader:
        if endpoint is Endpoint.CHAT:
            return _Events(provider, MAX_CHUNK_BYTES, read_event, chat=True)
        return _Events(provider, MAX_RESPONSE_BYTES, read_response_event, chat=False)


@dataclass(frozen=True, slots=True)
class _Events:
    provider: str
    limit: int
    one: Callable[[str, bytes], StreamEvent]
    chat: bool

    def plain_bytes(self, arrived: bytes) -> int:
        return plain_bytes(arrived) if self.chat else 0

    def read(self, raw: bytes) -> Sequence[StreamEvent]:
        return (self.one(self.provider, raw),)

    def finish(self) -> Sequence[StreamEvent]:
        raise ProviderNonsense(self.provider, "the stream ended without its last event")
