"""The project that a caller names."""

from mintery.crypto.hashing import parse_address
from mintery.domain.project import Project
from mintery.domain.voucher import Address
from mintery.errors import WrongToken
from mintery.usecases.parts import GatewayParts


def project_of(parts: GatewayParts, token: str) -> Project:
    """Raises WrongToken, MalformedInput."""
    market, _ = parts.reading()
    address = parse_address(token)
    if (project := market.projects.get(address)) is None:
        raise WrongToken(address)
    return project


def project_if_known(parts: GatewayParts, token: Address) -> Project | None:
    market, _ = parts.reading()
    return market.projects.get(token)
