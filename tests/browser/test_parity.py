"""Everything that a page does is in the API and in the command line: one table, which neither side outgrows unnoticed."""

import re
from typing import Any

import typer

from mintery.cli.app import app as commands
from mintery.wallet.page_files import page_files

from .conftest import Served

ACTIONS: dict[str, tuple[str, str]] = {
    # what is asked of the API: what a person does there, and the command that does the same
    "GET /v1/wallet/sign-in": ("see who is signed in", "authority list"),
    "POST /v1/wallet/sign-in/nonce": ("sign in", "sign-in"),
    "POST /v1/wallet/sign-in": ("sign in", "sign-in"),
    "POST /v1/wallet/sign-in/dev": ("sign in with the test key", "sign-in"),
    "POST /v1/wallet/sign-in/dev/signature": ("sign with the test key", "voucher sign"),
    "POST /v1/wallet/sign-in/dev/transaction": ("send with the test key", "exit start"),
    "DELETE /v1/wallet/sign-in": ("sign out", "authority revoke"),
    "GET /v1/wallet": ("see the balances", "wallet"),
    "POST /v1/wallet/moves/offer": ("send, or make spendable", "transfer"),
    "POST /v1/wallet/moves": ("send, or make spendable", "deposit"),
    "GET /v1/wallet/rails": ("see how to pay", "order place"),
    "POST /v1/wallet/top-ups/offer": ("top up by signature", "topup"),
    "POST /v1/wallet/orders": ("top up", "order place"),
    "GET /v1/wallet/orders": ("see the top-ups", "order list"),
    "GET /v1/wallet/orders/{}": ("see one top-up", "order show"),
    "POST /v1/wallet/orders/{}/check": ("come back from the card service", "order check"),
    "POST /v1/wallet/orders/{}/cancel": ("give a top-up up", "order cancel"),
    "GET /v1/wallet/lots/{}/requests": ("see what used a top-up", "lot trace"),
    "POST /v1/wallet/lots/{}/refund/offer": ("take back by card or bank", "lot refund"),
    "POST /v1/wallet/lots/{}/refund": ("take back", "lot refund"),
    "POST /v1/wallet/vouchers/offer": ("make a key", "key create"),
    "GET /v1/wallet/keys": ("see the keys", "key list"),
    "POST /v1/wallet/keys": ("make a key", "key create"),
    "POST /v1/wallet/keys/{}/rotate": ("give a key a new secret", "key rotate"),
    "PATCH /v1/wallet/keys/{}": ("let older keys go on beside a new one", "key change"),
    "DELETE /v1/wallet/keys/{}": ("switch a key off", "key revoke"),
    "GET /v1/wallet/limits": ("see the limits", "limit list"),
    "POST /v1/wallet/limits": ("set a limit", "limit set"),
    "PATCH /v1/wallet/limits/{}": ("change a limit", "limit change"),
    "DELETE /v1/wallet/limits/{}": ("remove a limit", "limit end"),
    "GET /v1/wallet/time-zone": ("begin days where one lives", "limit time-zone"),
    "PUT /v1/wallet/time-zone": ("begin days where one lives", "limit time-zone"),
    "GET /v1/wallet/activity": ("see what happened", "activity"),
    "GET /v1/wallet/receipts/{}": ("see one request", "activity"),
    "GET /v1/wallet/statement": ("read and save a statement", "statement"),
    "GET /v1/wallet/memberships": ("see memberships and offers", "membership list"),
    "POST /v1/wallet/memberships/offer": ("join", "membership begin"),
    "POST /v1/wallet/memberships": ("join", "membership begin"),
    "DELETE /v1/wallet/memberships/{}/{}": ("end a membership", "membership end"),
    "GET /v1/wallet/exits": ("see what is on its way out", "exit status"),
    "POST /v1/wallet/exits/{}/offer": ("begin to take out, or keep it", "exit cancel"),
    "POST /v1/wallet/exits/{}/execute": ("finish taking out", "exit execute"),
    "POST /v1/wallet/redemptions/offer": ("change into dollars", "redeem"),
    "GET /v1/wallet/authorities": ("see the permissions", "authority list"),
    "DELETE /v1/wallet/authorities/{}": ("end a permission", "authority revoke"),
    "GET /v1/models": ("choose a key's models", "key create"),
    "GET /v1/reserve": ("see what backs the credits", "reserve show"),
    "GET /v1/reserve/{}/history": ("see it over time", "reserve history"),
    "GET /v1/prices/{}": ("see what a price was", "price history"),
    "GET /v1/operator/sign-in": ("review", "order queue"),
    "POST /v1/operator/sign-in": ("review", "order queue"),
    "DELETE /v1/operator/sign-in": ("stop reviewing", "order queue"),
    "GET /admin/orders": ("see what waits", "order queue"),
    "GET /admin/orders/{}": ("see an order's journal", "order journal"),
    "POST /admin/orders/payments": ("note a bank transfer", "order paid"),
    "POST /admin/orders/{}/decision": ("accept or refuse", "order accept"),
    "POST /admin/orders/{}/retry": ("try again now", "order retry"),
    "POST /admin/orders/refunds/{}/done": ("note that it was sent back", "order refunded"),
}
_METHODS = {"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "del": "DELETE", "act": "POST"}
_CALL = re.compile(r"\b(get|post|put|patch|del|act)\(\s*[`\"](/(?:v1|admin)/[^`\"]*)[`\"]")


def asked_by_pages() -> set[str]:
    """Method and path of every call that the pages make, each part that is filled in as ``{}``."""
    found = set()
    for file in page_files().values():
        for method, path in _CALL.findall(file.content.decode()):
            plain = re.sub(r"\$\{(?:[^{}]|\{[^{}]*\})*\}", "{}", path).split("?")[0]
            found.add(f"{_METHODS[method]} {plain}")
    return found


def names_of(command: Any, before: str = "") -> set[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return {before.strip()}
    return {name for key, each in inner.items() for name in names_of(each, f"{before} {key}")}


def test_the_table_has_what_the_pages_ask_and_nothing_else() -> None:
    assert asked_by_pages() == set(ACTIONS)


def test_no_page_asks_in_a_way_that_the_table_cannot_see() -> None:
    """Paths are written where they are asked for: none is put together elsewhere, but for files to save."""
    for name, file in page_files().items():
        text = file.content.decode()
        hidden = set(re.findall(r"[`\"](/(?:v1|admin)/[^`\"?$]*)", _CALL.sub("", text)))
        assert hidden <= {"/v1/wallet/statement", "/v1/wallet/exits", "/v1/wallet"}, name


def test_everything_on_a_page_is_in_the_api(served: Served) -> None:
    document = served.stack.gateway.app.openapi()
    offered = {
        f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}"
        for path, methods in document["paths"].items()
        for method in methods
    }

    assert set(ACTIONS) <= offered


def test_everything_on_a_page_is_a_command() -> None:
    known = names_of(typer.main.get_command(commands))

    assert {action: command for action, command in ACTIONS.values() if command not in known} == {}
