"""What a command of the chain begins with: a connection, a key, a project."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mintery.errors import FileMissing, UnknownProject

if TYPE_CHECKING:
    from mintery.chain.rpc import TxReceipt
    from mintery.domain.voucher import AccountKey, Address
    from mintery.settings import Settings
    from mintery.usecases.onchain import OnChain


def settings_of(**given: Any) -> "Settings":
    """The environment's settings, with what was given on the command line above them."""
    from mintery.settings import load_settings

    return load_settings(**{name: value for name, value in given.items() if value is not None})


def existing_ledger(named: str | None) -> str | None:
    """A ledger that was named must be there: a mistyped name would begin an empty one and compare with that.

    Raises:
        FileMissing
    """
    if named is not None and "://" not in named and not Path(named).exists():
        raise FileMissing(named)
    return named


def open_chain(rpc: str | None, deployment: Path | None) -> "OnChain":
    """The deployment on the chain behind ``rpc``.

    Raises:
        RpcUnavailable, DeploymentMissing, DeploymentOfAnotherChain
    """
    from mintery.bootstrap import open_on_chain

    return open_on_chain(settings_of(rpc_url=rpc, deployment=deployment))


def address_of(text: str, *, local: bool) -> "Address":
    """An address as such, or that of a key's owner (``dev:1``)."""
    from mintery.cli.keys import DEV_PREFIX, read_key
    from mintery.crypto.hashing import parse_address

    if text.startswith(DEV_PREFIX):
        return read_key(text, local=local).address
    return parse_address(text)


def find_token(chain: "OnChain", text: str | None) -> tuple["Address", str]:
    """A project's token and its symbol: by address, else by symbol where only one has it, or the only project there is.

    Raises:
        UnknownProject: none, or more than one, fits.
    """
    from mintery.usecases.find_projects import find_projects

    opened = {project.token: project.terms.symbol for project in find_projects(chain)}
    if text is None:
        fitting = list(opened)
    else:
        wanted = text.lower()
        # Anyone may open a project whose symbol reads as another's address: an address means itself.
        fitting = [token for token in opened if token.lower() == wanted] or [
            token for token, symbol in opened.items() if symbol.lower() == wanted
        ]
    if len(fitting) != 1:
        raise UnknownProject(text, tuple(f"{symbol} {token}" for token, symbol in opened.items()))
    return fitting[0], opened[fitting[0]]


def account_key(
    chain: "OnChain", token: "Address", holder: "Address", *, gateway: str | None, signer: str | None
) -> "AccountKey":
    """The escrow account of these parties; the gateway of this setup and the holder's own signature by default."""
    from mintery.bootstrap import gateway_address
    from mintery.domain.voucher import AccountKey

    local = chain.rpc.is_local
    return AccountKey(
        token=token,
        gateway=gateway_address(settings_of(), local=local) if gateway is None else address_of(gateway, local=local),
        holder=holder,
        signer=holder if signer is None else address_of(signer, local=local),
    )


def tx_facts(tx: "TxReceipt") -> dict[str, Any]:
    return {"tx_hash": tx.hash, "block": tx.block, "gas_used": tx.gas_used}
