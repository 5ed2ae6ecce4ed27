"""Logs and polling filters."""

from __future__ import annotations

from typing import Any

from mintery.chain.devchain.codec import LATEST, PENDING, parse_block_ref
from mintery.chain.devchain.registry import Node, method
from mintery.chain.devchain.requests import parse_log_query, parse_object
from mintery.chain.devchain.views import log_view

OPEN_END = 2**63


@method("eth_getLogs")
def get_logs(node: Node, query: Any) -> list[dict[str, Any]]:
    parsed = parse_log_query(query, node.engine.blocks)
    return [log_view(entry) for entry in node.engine.logs.search(parsed)]


@method("eth_newFilter")
def new_filter(node: Node, query: Any) -> str:
    """Without an explicit end the filter goes on with the chain."""
    bounds = parse_object(query)
    if "blockHash" not in bounds and parse_block_ref(bounds.get("toBlock")) in {LATEST, PENDING}:
        bounds["toBlock"] = OPEN_END
    return node.filters.add(parse_log_query(bounds, node.engine.blocks))


@method("eth_newBlockFilter")
def new_block_filter(node: Node) -> str:
    return node.filters.add(None)


@method("eth_newPendingTransactionFilter")
def new_pending_transaction_filter(node: Node) -> str:
    """Transactions are mined on arrival, so this filter never has news."""
    return node.filters.add(None, silent=True)


@method("eth_getFilterChanges")
def filter_changes(node: Node, name: Any) -> list[Any]:
    return node.filters.changes(str(name))


@method("eth_getFilterLogs")
def filter_logs(node: Node, name: Any) -> list[dict[str, Any]]:
    return node.filters.logs(str(name))


@method("eth_uninstallFilter")
def uninstall_filter(node: Node, name: Any) -> bool:
    return node.filters.remove(str(name))
