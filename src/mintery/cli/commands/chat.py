"""``mintery chat``: ask a model one thing and see what it cost."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mintery.cli.money import nanos_text
from mintery.cli.options import DEFAULT_URL, ApiKey, GatewayUrl, Json
from mintery.cli.output import console, progress, write_json
from mintery.domain.receipt import receipt_json
from mintery.errors import CredentialMissing

if TYPE_CHECKING:
    import openai


def chat(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to ask; - reads standard input.")],
    *,
    api_key: ApiKey,
    model: Annotated[str | None, typer.Option(help="Which model. Default: the first chat model there is.")] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="The longest answer; it bounds the cost.")] = 256,
    stream: Annotated[bool, typer.Option(help="Print the answer as it comes.")] = True,
    url: GatewayUrl = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Ask a model through the gateway, paid with a voucher key, and show the receipt."""
    from mintery.cli.refusals import told
    from mintery.client import openai_client, read_receipt

    if not api_key.strip():
        raise CredentialMissing
    prompt = sys.stdin.read() if text == "-" else text
    with told(url), openai_client(url, api_key) as client:
        chosen = model or _first_chat_model(client)
        asked: dict[str, Any] = {
            "model": chosen,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": max_tokens,
        }
        answer, request_id = _streamed(client, asked, quiet=as_json) if stream else _whole(client, asked)
    receipt = read_receipt(url, api_key, request_id)
    if as_json:
        write_json({"model": chosen, "answer": answer, "receipt": receipt_json(receipt)})
        return
    if not stream:
        print(answer)
    note = "TEST answer, made up by a stub; " if receipt.test else ""
    console(stderr=True).print(
        f"\n{note}{chosen}, {nanos_text(receipt.cost)}, receipt {receipt.id}", style="dim", soft_wrap=True
    )


def _first_chat_model(client: "openai.OpenAI") -> str:
    from mintery.errors import UnknownModel

    for model in client.models.list():
        if (model.model_extra or {}).get("mintery", {}).get("endpoint") == "chat":
            return model.id
    raise UnknownModel("(for chat)")


def _whole(client: "openai.OpenAI", asked: dict[str, Any]) -> tuple[str, str]:
    with progress("Waiting for the answer"):
        answer = client.chat.completions.create(**asked)
    return answer.choices[0].message.content or "", str(answer._request_id)  # noqa: SLF001 -- its documented name


def _streamed(client: "openai.OpenAI", asked: dict[str, Any], *, quiet: bool) -> tuple[str, str]:
    parts = []
    with client.chat.completions.create(**asked, stream=True) as chunks:
        for chunk in chunks:
            piece = (chunk.choices[0].delta.content or "") if chunk.choices else ""
            parts.append(piece)
            if not quiet:
                sys.stdout.write(piece)
                sys.stdout.flush()
        request_id = chunks.response.headers["x-request-id"]
    if not quiet:
        print()
    return "".join(parts), request_id
