"""Whether a project may be opened under a name beside those that others have opened."""

from mintery.domain.lookalikes import Named, check_name
from mintery.domain.voucher import Address
from mintery.usecases.find_projects import find_projects
from mintery.usecases.onchain import OnChain


def check_project_name(chain: OnChain, issuer: Address, *, name: str, symbol: str) -> None:
    """The chain itself takes any name: this is asked wherever a person opens a project through our tools. An issuer's own
    projects may look alike.

    Raises:
        UnwritableName, LooksLikeAnother
    """
    opened = (each for each in find_projects(chain) if each.issuer != issuer)
    check_name(name, symbol, (Named(each.token, each.terms.name, each.terms.symbol) for each in opened))
