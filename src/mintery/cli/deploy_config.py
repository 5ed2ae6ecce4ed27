"""What ``mintery deploy --config`` reads."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mintery.crypto.hashing import parse_address
from mintery.domain.voucher import Kind
from mintery.errors import FileMissing, MalformedFile, MalformedInput

if TYPE_CHECKING:
    from mintery.chain.roles import DeployConfig

_TIMES = ("exit_delay", "queue_delay", "epoch_length", "admin_delay", "quorum")
_ADDRESSES = ("asset", "admin", "guardian")


def read_deploy_config(path: Path) -> "DeployConfig":
    """TOML::

        asset = "0x…"                 # the stablecoin, 6 decimals
        reporters = ["0x…", "0x…", "0x…", "0x…", "0x…"]
        quorum = 3
        admin = "0x…"                 # a multisig; guardian likewise
        guardian = "0x…"
        admin_delay = 172800          # seconds; exit_delay, queue_delay, epoch_length likewise
        skus = ["acme/small:input_token"]

        [[providers]]
        name = "acme"
        payout = "0x…"
        kind = "routed"
        resale_allowed = true

    Raises:
        FileMissing, MalformedFile
    """
    from mintery.chain.roles import DeployConfig

    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
        unknown = fields.keys() - {*_TIMES, *_ADDRESSES, "reporters", "skus", "providers"}
        if unknown:
            raise MalformedFile(str(path), f"unknown: {', '.join(sorted(unknown))}")
        chosen: dict[str, Any] = {name: int(fields[name]) for name in _TIMES if name in fields}
        chosen |= {name: parse_address(fields[name]) for name in _ADDRESSES if name in fields}
        return DeployConfig(
            reporters=tuple(parse_address(text) for text in fields["reporters"]),
            skus=tuple(str(sku) for sku in fields.get("skus", ())),
            providers=tuple(_provider(entry) for entry in fields.get("providers", ())),
            **chosen,
        )
    except FileNotFoundError:
        raise FileMissing(str(path)) from None
    except (OSError, KeyError, TypeError, ValueError, AttributeError, MalformedInput) as error:
        raise MalformedFile(str(path), f"{type(error).__name__}: {error}") from None


def _provider(entry: dict[str, Any]) -> Any:
    from mintery.chain.roles import NewProvider

    return NewProvider(
        name=str(entry["name"]),
        payout=parse_address(entry["payout"]),
        kind=Kind(entry["kind"]),
        resale_allowed=bool(entry["resale_allowed"]),
    )
