"""Who is who among the well-known development keys."""

from collections.abc import Mapping

from mintery.crypto.keys import PrivateKey, dev_key
from mintery.errors import DevKeyOnRealChain

DEV_ROLES: Mapping[str, int] = {
    "admin": 0,
    "gateway": 1,
    "settler": 2,
    "issuer": 3,
    "holder": 4,
    "friend": 5,
    "provider": 6,
    "relayer": 7,
    "reporter1": 10,
    "reporter2": 11,
    "reporter3": 12,
    "reporter4": 13,
    "reporter5": 14,
}
"""Who is who on a local chain: numbers of the development mnemonic. The reporters send nothing and need no ether."""
REPORTERS = ("reporter1", "reporter2", "reporter3", "reporter4", "reporter5")


def dev_role(name: str, *, local: bool) -> PrivateKey:
    """A role's well-known key.

    Raises:
        DevKeyOnRealChain: the whole world has this key.
    """
    if not local:
        raise DevKeyOnRealChain(f"dev:{name}")
    return dev_key(DEV_ROLES[name])
