"""``mintery up``: everything in one process, with an API key ready to use."""

from typing import TYPE_CHECKING, Annotated

import typer

from mintery.cli.options import Json
from mintery.cli.output import progress, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from mintery.cli.first_wallet import FirstWallet


def up(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The gateway's; 0 takes any free port.")] = 8787,
    rpc_port: Annotated[int, typer.Option(min=0, max=65_535, help="The chain's; 0 takes any free port.")] = 8545,
    *,
    as_json: Json = False,
) -> None:
    """Start a chain, the contracts, a gateway and a TEST provider, and print an API key for the stock openai client.

    Everything is in memory but the ledger and the deployment file in ~/.mintery. Keys are public: play money only.
    """
    with progress("Starting chain, contracts, prices and gateway"):
        from mintery.bootstrap import start_local_stack
        from mintery.cli.first_wallet import fill_first_wallet
        from mintery.cli.session import settings_of
        from mintery.serving.waiting import until_signalled

        settings = settings_of(host="127.0.0.1", port=port)
        stack = start_local_stack(settings, rpc_port=rpc_port, memberships=True)
    with stack, until_signalled() as stop:
        with progress("Minting the first credits"):
            wallet = fill_first_wallet(stack)
        facts = {
            "base_url": f"{stack.gateway_url}/v1",
            "pages": f"{stack.gateway_url}/wallet",
            "api_key": wallet.api_key,
            "model": wallet.model,
            "embedding_model": wallet.embedding_model,
            "test": True,
            "rpc_url": stack.rpc_url,
            "deployment": str(stack.directory / "deployment.json"),
            "operator_key": stack.gateway.operator_key,
            "dev_key": stack.gateway.dev_key,
            "token": wallet.token,
            "symbol": wallet.symbol,
            "credits": str(wallet.credits),
        }
        show(facts, lambda out: _print(out, wallet, facts), as_json=as_json)
        stop.wait()


def _print(out: "Console", wallet: "FirstWallet", facts: "Mapping[str, object]") -> None:
    from mintery.cli.money import credits_text

    base_url = facts["base_url"]
    out.print("\n[bold]Mintery is up.[/bold] Its models are [bold]TEST[/bold]: a stub makes every answer up.\n")
    out.print(f"  gateway   {base_url}")
    out.print(f"  chain     {facts['rpc_url']}")
    out.print(f"  credits   {credits_text(wallet.credits, wallet.symbol)}, for the API key below")
    out.print(f"  pages     {facts['pages']}")
    out.print(f"  test key  {facts['dev_key']}  (signs you in there as the test holder)\n")
    out.print("Use it from any program that speaks the OpenAI API. In another terminal:\n")
    # Printed raw: a key that was wrapped to the terminal's width could not be copied.
    print(f"""export OPENAI_BASE_URL={base_url}
export OPENAI_API_KEY={wallet.api_key}
.venv/bin/python - <<'PYTHON'
import openai

answer = openai.OpenAI().chat.completions.create(
    model="{wallet.model}", messages=[{{"role": "user", "content": "Hello!"}}]
)
print(answer.choices[0].message.content)
PYTHON

export MINTERY_API_KEY=$OPENAI_API_KEY
.venv/bin/mintery chat "What is a credit worth?"
""")
    out.print("Stop with Ctrl-C. The chain ends with it.")
