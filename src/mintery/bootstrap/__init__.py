"""The only place that constructs: what settings name becomes a chain, a ledger, a gateway with its jobs, or all at once.

Names are imported when they are first used: a command that only needs a key must not wait for web3 and FastAPI.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mintery.bootstrap.deploying import deploy_to, plan_of
    from mintery.bootstrap.gateway import Gateway, build_gateway
    from mintery.bootstrap.local import LocalStack, start_local_stack
    from mintery.bootstrap.opening import (
        gateway_address,
        ledger_path,
        open_gateway_ledger,
        open_ledger_audit,
        open_on_chain,
        open_rpc,
        report_sender_key,
        reporter_keys,
        settler_key,
    )
    from mintery.bootstrap.price_sources import price_lists
    from mintery.bootstrap.reporter import start_reporter
    from mintery.bootstrap.reporting import build_reporters, look_at_sources, report_once
    from mintery.bootstrap.roles import DEV_ROLES, dev_role
    from mintery.bootstrap.supervising import Supervisor, inherited, supervise
    from mintery.bootstrap.test_gateway import TestGateway, start_test_gateway

_HOMES = {
    "deploying": ("deploy_to", "plan_of"),
    "gateway": ("Gateway", "build_gateway"),
    "local": ("LocalStack", "start_local_stack"),
    "opening": (
        "gateway_address",
        "ledger_path",
        "open_gateway_ledger",
        "open_ledger_audit",
        "open_on_chain",
        "open_rpc",
        "report_sender_key",
        "reporter_keys",
        "settler_key",
    ),
    "price_sources": ("price_lists",),
    "reporter": ("start_reporter",),
    "reporting": ("build_reporters", "look_at_sources", "report_once"),
    "roles": ("DEV_ROLES", "dev_role"),
    "supervising": ("Supervisor", "inherited", "supervise"),
    "test_gateway": ("TestGateway", "start_test_gateway"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "DEV_ROLES",
    "Gateway",
    "LocalStack",
    "Supervisor",
    "TestGateway",
    "build_gateway",
    "build_reporters",
    "deploy_to",
    "dev_role",
    "gateway_address",
    "inherited",
    "ledger_path",
    "look_at_sources",
    "open_gateway_ledger",
    "open_ledger_audit",
    "open_on_chain",
    "open_rpc",
    "plan_of",
    "price_lists",
    "report_once",
    "report_sender_key",
    "reporter_keys",
    "settler_key",
    "start_local_stack",
    "start_reporter",
    "start_test_gateway",
    "supervise",
]


def __getattr__(name: str) -> Any:
    if (home := _HOME_OF.get(name)) is None:
        raise AttributeError(name)
    return getattr(import_module(f"mintery.bootstrap.{home}"), name)
