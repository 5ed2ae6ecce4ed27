"""Keys and limits as JSON values."""

from typing import Any

from mintery.errors import CredentialRefused, KeyExpired
from mintery.ledger.reads_wallet import KeyRecord
from mintery.units import format_nanocredits
from mintery.usecases.keep_keys import is_of_epoch
from mintery.usecases.keep_limits import LimitState
from mintery.usecases.parts import GatewayParts
from mintery.wallet.amounts import amount_json
from mintery.wallet.projects import project_if_known


def key_json(parts: GatewayParts, record: KeyRecord) -> dict[str, Any]:
    """One key, without its text. Times in ISO 8601; ``usable_until`` in unix seconds, as vouchers count."""
    key, voucher = record.key, record.voucher.signed.voucher
    project = project_if_known(parts, voucher.token)
    newest = record.secrets[0] if record.secrets else None
    return {
        "object": "key",
        "id": key.id,
        "label": key.label,
        "status": _status(parts, record),
        "hint": None if newest is None else newest.hint,
        "account": key.account,
        "token": voucher.token,
        "symbol": None if project is None else project.symbol,
        "kind": None if project is None else project.kind.value,
        "models": _names(key.rules.models),
        "intents": _names(key.rules.ways),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "secrets": [{"hint": each.hint, "made_at": each.made_at, "ends_at": each.ends_at} for each in record.secrets],
        "voucher": {
            "digest": "0x" + record.voucher.digest.hex(),
            "signer": record.voucher.signed.signer,
            "epoch": voucher.epoch,
            "max_nanocredits": str(voucher.max_nanocredits),
            "max_credits": format_nanocredits(voucher.max_nanocredits),
            "deadline": voucher.deadline,
            "usable_until": voucher.deadline - parts.exit_delay,
        },
    }


def limit_json(parts: GatewayParts, state: LimitState) -> dict[str, Any]:
    """One limit in its period now."""
    limit = state.limit
    project = project_if_known(parts, limit.token)
    return {
        "object": "limit",
        "id": limit.id,
        "token": limit.token,
        "symbol": None if project is None else project.symbol,
        "kind": None if project is None else project.kind.value,
        "period": limit.period.value,
        "key": limit.key,
        "model": limit.model,
        "intent": limit.way,
        **amount_json("ceiling", limit.ceiling, project),
        **amount_json("used", state.used, project),
        **amount_json("left", state.left, project),
        "first_day": state.span.first,
        "resets_at": state.span.ends,
        "set_at": limit.set_at,
        "alerts": [{"percent": each.level, "at": each.at} for each in state.alerts],
    }


def _status(parts: GatewayParts, record: KeyRecord) -> str:
    """``closed``: its holder has closed the account, which ended every voucher of it."""
    try:
        record.key.check_open(parts.clock())
    except KeyExpired:
        return "expired"
    except CredentialRefused:
        return "revoked"
    return "open" if is_of_epoch(parts, record.voucher) else "closed"


def _names(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)
