"""One call of each command as somebody would write it; its ``--help`` ends with it. A test reads each with the command's own
parser, and misses one for a new command.
"""

from collections.abc import Iterator, Mapping

import typer

EXAMPLES: Mapping[str, str] = {
    "demo": "",
    "up": "--port 8080",
    "chat": '"What is a credit worth?"',
    "doctor": "",
    "project open": "PROJECTX_AI_CREDITS PXAI --par 0.01 --markup 1000 --key dev:issuer",
    "project list": "",
    "mint": "1000 --key dev:issuer",
    "redeem": "10 --key dev:holder",
    "transfer": "250 dev:holder --key dev:issuer",
    "reserve show": "--token PXAI",
    "reserve history": "0x5FbDB2315678afecb367f032d93F642f64180aa3 --last 24",
    "wallet": "",
    "deposit": "100 --key dev:holder",
    "topup": "5 --key dev:holder",
    "order place": "20 --rail card --token 0x5FbDB2315678afecb367f032d93F642f64180aa3",
    "order list": "",
    "order show": "ord_1234",
    "order check": "ord_1234",
    "order journal": "ord_1234",
    "order cancel": "ord_1234",
    "order queue": "",
    "order paid": "MINT-7K2P-9QXA --usd 20 --payment 2026-11-02/17",
    "order accept": 'ord_1234 --reason "it stands in the statement"',
    "order refuse": 'ord_1234 --reason "the sender is not the holder"',
    "order return": 'ord_1234 --reason "the holder asked for it"',
    "order retry": "ord_1234",
    "order refunded": "rfd_1234 --reference 2026-11-03/4",
    "lot list": "",
    "lot trace": "3",
    "lot refund": "3 --way rail --key dev:holder",
    "lot refunds": "3",
    "exit start": "50 --key dev:holder",
    "exit close": "--key dev:holder",
    "exit status": "--key dev:holder",
    "exit execute": "--key dev:holder",
    "exit cancel": "--key dev:holder",
    "voucher sign": "100 --key dev:holder --days 30",
    "voucher show": "mv1.…",
    "job open": 'test/film "prompt=a cat on a coin" --wait',
    "job show": "req_1234",
    "job list": "",
    "job fetch": "req_1234 cat.mp4",
    "receipt show": "req_1234 --json",
    "receipt verify": "receipt.json",
    "activity": "--limit 20",
    "statement": "2026-11 --out statement.csv",
    "membership list": "",
    "membership begin": "front-row --most 5",
    "membership end": "front-row",
    "route explain": '"What is a credit worth?" --model cheapest',
    "key create": '"my app" --usd 20 --monthly 5 --key dev:holder',
    "key list": "--key dev:holder",
    "key rotate": "key_1234 --overlap 24 --key dev:holder",
    "key change": "key_1234 --model openai/gpt-5 --key dev:holder",
    "key revoke": "key_1234 --key dev:holder",
    "limit list": "--key dev:holder",
    "limit set": "week --usd 1 --key dev:holder",
    "limit change": "lim_1234 --usd 2 --key dev:holder",
    "limit end": "lim_1234 --key dev:holder",
    "limit time-zone": "Europe/Berlin --key dev:holder",
    "authority list": "--key dev:holder",
    "authority revoke": "key_1234 --key dev:holder",
    "sign-in": "--key dev:holder",
    "why": "req_1234",
    "devchain": "--port 8546",
    "deploy": "--config deploy.json --key DEPLOYER_KEY --dry-run",
    "serve": "--providers providers.json --processes 4",
    "channel list": "",
    "channel history": "",
    "channel discover": "",
    "channel add": "acme/large --terms large.json --reason 'asked for by PXAI'",
    "channel remove": "acme/large --reason 'no longer offered'",
    "channel enable": "acme/large --reason 'the outage is over'",
    "channel disable": "acme/large --reason 'an outage since 9:30'",
    "channel primary": "acme/large --reason 'the cheaper one'",
    "channel multiplier": "acme/large 500 --reason 'a month of half the markup'",
    "channel own-key": "acme/large --on --reason 'callers asked for it'",
    "channel resale": "acme --off --reason 'their terms changed'",
    "price show": "--versions",
    "price history": "test/chat:output_token",
    "price sources": "openai/gpt-5:output_token",
    "price feed": "test/chat:output_token",
    "price report": "--everything",
    "reporter": "--key dev:reporter1 --peer http://127.0.0.1:8602",
    "settle": "--show",
    "reconcile": "",
    "ledger verify": "",
    "ledger check": "",
    "ledger write-off": "req_1234 --reason 'its provider left the project'",
    "ledger write-offs": "",
    "ledger halts": "",
    "ledger clear-halt": "2 --reason 'compared by hand'",
    "provider list": "",
    "provider withdraw": "acme --key dev:issuer",
    "roles show": "",
    "tokenlist": "--issuer 0x90F79bf6EB2c4f870365E785982E1f101E93b906 --out tokens.json",
    "verify-bundle": "bundle",
}
"""What stands behind ``mintery COMMAND``."""


def show_examples(app: typer.Typer) -> None:
    """Puts each command's example at the end of its help."""
    for name, command in commands_of(app):
        if (words := EXAMPLES.get(name)) is not None:
            command.epilog = f"Example: [bold]{f'mintery {name} {words}'.strip()}[/bold]"


def commands_of(app: typer.Typer, group: str = "") -> Iterator[tuple[str, typer.models.CommandInfo]]:
    """Every command with its whole name, like ``price show``."""
    for command in app.registered_commands:
        if command.name:
            yield f"{group}{command.name}", command
    for each in app.registered_groups:
        if each.typer_instance is not None:
            yield from commands_of(each.typer_instance, f"{group}{each.name} ")
