"""A statement as JSON values: what every form of it shows, so that all of them show the same.

Amounts are nanocredits as text, each with its decimal in credits and its dollars at par beside it: exact, all three.
"""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from mintery.domain.statement import AccountStatement, StatementLine, Sums, total
from mintery.units import Par
from mintery.usecases.name_wallet import Wallet, amount_facts, wallet_facts
from mintery.usecases.show_statement import Entry, Statement, WalletStatement

GROUPS = ("key", "model", "route", "provider")


def statement_facts(statement: Statement) -> dict[str, Any]:
    """All but the lines."""
    period, block = statement.period, statement.block
    return {
        "object": "statement",
        "holder": statement.holder,
        "test": statement.test,
        "period": {
            "name": period.name,
            "time_zone": period.zone.key,
            "start": period.start.astimezone(period.zone).isoformat(),
            "end": period.end.astimezone(period.zone).isoformat(),
            "final": statement.final,
        },
        "made_at": statement.made_at.isoformat(),
        "block": None if block is None else {"number": block.number, "hash": block.hash, "time": block.timestamp},
        "wallets": [_wallet_facts(statement, wallet) for wallet in statement.wallets],
    }


def entry_facts(statement: Statement, entry: Entry) -> dict[str, Any]:
    """One line: when, what, by how much, and what the wallet had afterwards."""
    shown = line_facts(entry.line, entry.wallet, statement.period.zone, statement.labels)
    return shown | amount_facts("balance", entry.balance, entry.wallet.par)


def line_facts(line: StatementLine, wallet: Wallet, zone: tzinfo, labels: Mapping[str, str]) -> dict[str, Any]:
    """One line by itself. ``labels``: of keys that their holder named."""
    facts: dict[str, Any] = {
        "at": line.at.astimezone(zone).isoformat(),
        "kind": line.kind.value,
        "undone": line.undone,
        **wallet_facts(wallet),
        **amount_facts("change", line.change, wallet.par),
        "reference": line.reference,
        "subject": line.subject,
    }
    if (paid := line.charge) is not None:
        facts |= {
            "request": paid.request,
            "key": paid.key,
            "label": labels.get(paid.key, paid.key),
            "model": paid.model,
            "route": paid.route,
            "provider": paid.provider,
            "backup": paid.backup,
            "test": paid.test,
            "usage": dict(paid.usage),
        }
    return facts


def _wallet_facts(statement: Statement, wallet: WalletStatement) -> dict[str, Any]:
    name = wallet.wallet
    figures = {
        "opening": wallet.total(lambda account: account.opening),
        **_sum_figures(wallet.sums),
        "closing": wallet.total(lambda account: account.closing),
        "now": wallet.total(lambda account: account.now),
        "held_now": wallet.total(lambda account: account.held),
        "unsettled_now": wallet.total(lambda account: account.unsettled),
    }
    groups = {f"by_{part}": _group_facts(statement, wallet, part) for part in GROUPS}
    backups = [use for use in wallet.uses if use.backup]
    return {
        "kind": name.kind,
        "symbol": name.symbol,
        "name": name.name,
        "token": name.token,
        "par": name.par,
        **_figure_facts(figures, name.par),
        "requests": wallet.sums.requests,
        "backup_requests": sum(use.requests for use in backups),
        **groups,
        "by_day": [
            {"day": day.isoformat(), **amount_facts("use", cost, name.par), "requests": requests}
            for day, (cost, requests) in wallet.days.items()
        ],
        "accounts": [_account_facts(account, name.par) for account in wallet.accounts],
    }


def _account_facts(account: AccountStatement, par: Par | None) -> dict[str, Any]:
    figures = {
        "opening": account.opening,
        **_sum_figures(account.sums),
        "closing": account.closing,
        "now": account.now,
        "held_now": account.held,
        "unsettled_now": account.unsettled,
    }
    return {"account": account.account, **_figure_facts(figures, par), "requests": account.sums.requests}


def _sum_figures(sums: Sums) -> dict[str, int]:
    return {
        "top_ups": sums.top_ups,
        "use": sums.use,
        "waived": sums.waived,
        "exits": sums.exits,
        "releases": sums.releases,
        "paid_back": sums.paid_back,
    }


def _figure_facts(figures: Mapping[str, int], par: Par | None) -> dict[str, Any]:
    return {
        name: value for figure, amount in figures.items() for name, value in amount_facts(figure, amount, par).items()
    }


def _group_facts(statement: Statement, wallet: WalletStatement, part: str) -> list[dict[str, Any]]:
    found = []
    for name, (cost, requests) in total(wallet.uses, part).items():
        label = {"label": statement.label(name)} if part == "key" else {}
        found.append({part: name, **label, **amount_facts("use", cost, wallet.wallet.par), "requests": requests})
    return found
