"""Orders, refunds and what they wait for, as a terminal shows them."""

from collections.abc import Callable
from typing import Any

from mintery.cli.output import pairs, table

Told = dict[str, Any]
Printed = Callable[[Any], None]


def orders_table(told: Told) -> Printed:
    rows = [
        (each["placed_at"][:19].replace("T", " "), each["id"], each["rail"], each["asked_usd"], each["status"])
        for each in told["data"]
    ]
    return table(f"{len(rows)} orders", ("placed (UTC)", "order", "rail", "USD ", "status"), rows)


def refunds_table(told: Told) -> Printed:
    rows = [(each["id"], each["rail"], each["refund_usd"], each["why"], each["due_at"][:19]) for each in told["data"]]
    return table(f"{len(rows)} refunds due", ("refund", "rail", "USD ", "why", "since"), rows)


def waiting_table(told: Told) -> Printed:
    rows = [
        (each["subject"], each["kind"] or "", str(each["tries"]), each["why"], each["next_try_at"][:19])
        for each in told["data"]
    ]
    return table(f"{len(rows)} wait", ("order or refund", "what", "tries ", "why", "next try (UTC)"), rows)


def given_up_table(told: Told) -> Printed:
    rows = [(each["subject"], each["kind"], each["why"], each["at"][:19]) for each in told["data"]]
    return table(f"{len(rows)} given up", ("order or refund", "what", "why", "at (UTC)"), rows)


def disputes_table(told: Told) -> Printed:
    names = ("id", "order", "status", "disputed_usd", "lost_usd", "used_credits", "frozen_credits", "taken_out_credits")
    rows = [tuple(each[name] for name in names) for each in told["data"]]
    columns = ("dispute", "order", "status", "USD ", "lost ", "used ", "frozen ", "taken out ")
    return table(f"{len(rows)} disputes", columns, rows)


def retried(told: Told) -> Printed:
    what = ", ".join(told["tried_again"]) or "nothing of it waits"
    return pairs(f"{told['id']} is tried again", [("what", what)])


def refund_done(told: Told) -> Printed:
    return pairs(f"Refund {told['id']} is done", [("reference", told["reference"])])


def one_order(told: Told) -> Printed:
    rows = [("status", told["status"].replace("_", " ")), ("asked for", f"{told['asked_usd']} USD by {told['rail']}")]
    optional = (
        ("pay here", told["page"]),
        ("transfer to", told["bank_details"]),
        ("with the words", told["reference"] if told["bank_details"] else None),
        ("paid", told.get("paid_usd")),
        ("went back", told["refunded_usd"] if told["refunded_assets"] != "0" else None),
        ("disputed", told["disputed_usd"] if told["disputed_assets"] != "0" else None),
        ("lost in disputes", told["lost_usd"] if told["lost_assets"] != "0" else None),
        ("why", told["why"]),
        ("waits", told["waits_for"]),
    )
    rows += [(name, value) for name, value in optional if value]
    rows += [(f"{call['kind']} of credits", call_words(call)) for call in told["on_chain"]]
    if told["lot"] is not None:
        rows.append(("left of it", f"{told['lot']['remaining_credits']} credits (lot {told['lot']['id']})"))
    return pairs(f"Order {told['id']}", rows)


def call_words(call: Told) -> str:
    status = str(call["status"]).replace("_", " ")
    return f"{status}: {call['why']}" if call["why"] else status
