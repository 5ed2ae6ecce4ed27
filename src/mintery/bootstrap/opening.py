"""Opens what settings name: the chain's endpoint, the deployment, the ledger, the keys."""

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from mintery.bootstrap.roles import REPORTERS, dev_role
from mintery.chain.deployment import check_chain, deployment_path, load_deployment
from mintery.chain.rpc import Rpc, connect
from mintery.crypto.hashing import parse_address
from mintery.crypto.keys import PrivateKey, decrypt_keystore
from mintery.domain.voucher import Address
from mintery.errors import FileMissing, MalformedFile, SettingMissing
from mintery.ledger.audit import LedgerAudit, open_audit
from mintery.ledger.leadership import Leadership, open_leadership
from mintery.ledger.opening import LedgerIdentity
from mintery.ledger.store import LedgerStore, open_ledger
from mintery.settings import Settings, required, variable
from mintery.usecases.onchain import OnChain

LEDGER_FILE = "ledger.sqlite"


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_rpc(settings: Settings) -> Rpc:
    """Raises RpcUnavailable, RpcsDisagree."""
    return connect(settings.rpc_url, timeout=settings.rpc_timeout, quorum=settings.rpc_quorum)


def open_on_chain(settings: Settings, rpc: Rpc | None = None) -> OnChain:
    """The deployment on the chain that ``settings`` name, or on ``rpc``.

    Raises:
        RpcUnavailable, RpcsDisagree, DeploymentMissing, MalformedFile
        DeploymentOfAnotherChain: the named file is of another chain.
    """
    connected = rpc or open_rpc(settings)
    path = settings.deployment or deployment_path(settings.home, connected.genesis_hash)
    deployment = load_deployment(path)
    check_chain(deployment, connected, path)
    confirmations = settings.confirmations_on(local=connected.is_local)
    by_finalized = settings.confirm_by == "finalized"
    return OnChain.of(
        connected, deployment, confirmations=confirmations, by_finalized=by_finalized, finality=settings.finality
    )


def ledger_path(settings: Settings, genesis_hash: str) -> Path | None:
    """The ledger's file; None where settings name a database server."""
    if settings.ledger is None:
        return deployment_path(settings.home, genesis_hash).with_name(LEDGER_FILE)
    return None if "://" in settings.ledger else Path(settings.ledger)


def open_gateway_ledger(settings: Settings, chain: OnChain) -> LedgerStore:
    """The ledger that settings name, or the chain's own.

    Raises:
        LedgerOfAnotherChain: it belongs to another chain or escrow; nothing was changed.
        MalformedFile, LedgerUnavailable
    """
    path = ledger_path(settings, chain.rpc.genesis_hash)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    identity = LedgerIdentity(chain.rpc.chain_id, chain.rpc.genesis_hash, chain.escrow.address)
    return open_ledger(path or str(settings.ledger), identity)


def open_ledger_audit(settings: Settings) -> LedgerAudit:
    """The ledger, to be checked and not written to. A named one needs no chain.

    Raises:
        MalformedFile, FileMissing, LedgerUnavailable, RpcUnavailable
    """
    path = ledger_path(settings, "" if settings.ledger else open_rpc(settings).genesis_hash)
    if path is not None and not path.exists():
        raise FileMissing(str(path))
    return open_audit(path or str(settings.ledger))


def open_gateway_leadership(settings: Settings, chain: OnChain) -> Leadership:
    """Over the jobs of that ledger; other processes see this one as ``host:pid``."""
    return open_leadership(ledger_path(settings, chain.rpc.genesis_hash) or str(settings.ledger), process_name())


def process_name() -> str:
    return f"{socket.gethostname()[:36]}:{os.getpid()}"


def presence_of(mark: str) -> str:
    """What the process with that mark leads as long as it runs."""
    return f"process-{mark}"


def gateway_address(settings: Settings, *, local: bool) -> Address:
    """The identity that vouchers name; on a local chain the dev gateway's unless set.

    Raises:
        SettingMissing
    """
    if settings.gateway_address is not None:
        return parse_address(settings.gateway_address)
    if settings.gateway_key is not None:
        return PrivateKey.from_hex(settings.gateway_key.get_secret_value()).address
    if local:
        return dev_role("gateway", local=local).address
    raise SettingMissing(variable("gateway_address"), "vouchers name the gateway that may spend them")


def settler_key(settings: Settings, *, local: bool) -> PrivateKey:
    """The hot key that signs receipts and settles; on a local chain the dev settler's unless set.

    Raises:
        SettingMissing, MalformedFile
        MalformedInput: no key, or the keystore does not open with the password.
    """
    if settings.settler_keystore is not None:
        password = required(settings.settler_password, "settler_password", "it opens the settler's keystore")
        return decrypt_keystore(_read_keystore(settings.settler_keystore), password)
    if settings.settler_key is None and local:
        return dev_role("settler", local=local)
    return PrivateKey.from_hex(required(settings.settler_key, "settler_key", "it signs receipts and settlements"))


def former_settler_keys(settings: Settings) -> tuple[PrivateKey, ...]:
    return tuple(PrivateKey.from_hex(key.get_secret_value()) for key in settings.former_settler_keys)


def _read_keystore(path: Path) -> dict[str, object]:
    try:
        keystore: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MalformedFile(str(path), f"it is no keystore: {error}") from None
    return keystore


def reporter_keys(settings: Settings, *, local: bool) -> tuple[PrivateKey, ...]:
    """Reporters that run here; on a local chain all five dev reporters unless set."""
    if not settings.reporter_keys and local:
        return tuple(dev_role(name, local=local) for name in REPORTERS)
    return tuple(PrivateKey.from_hex(key.get_secret_value()) for key in settings.reporter_keys)


def relayer_key(settings: Settings, *, local: bool) -> PrivateKey | None:
    """Who pays the gas of what holders sign; None: nobody does."""
    if settings.relayer_key is None:
        return dev_role("relayer", local=local) if local else None
    return PrivateKey.from_hex(settings.relayer_key.get_secret_value())


def report_sender_key(settings: Settings, *, local: bool) -> PrivateKey | None:
    """Who pays the gas of price reports: the first reporter, or the dev admin on a local chain."""
    if not settings.reporter_keys:
        return dev_role("admin", local=local) if local else None
    return PrivateKey.from_hex(settings.reporter_keys[0].get_secret_value())
