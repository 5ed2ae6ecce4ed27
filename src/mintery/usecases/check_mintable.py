"""Whether credits for money that comes by card or bank could be created now: asked before anybody pays."""

from mintery.domain.voucher import Address
from mintery.errors import AssetDepegged, MintNotOffered, MintRoomShort
from mintery.units import AssetUnits, credit_units, nanocredits_of_assets_down
from mintery.usecases.order_desk import OrderDesk


def check_mintable(desk: OrderDesk, token: Address, assets: AssetUnits) -> None:
    """By the chain's newest block. It may change until the money is there: the mint itself is asked again.

    Raises:
        MintNotOffered: the project is retired, or mints for its issuer alone, which the treasury is not.
        MintRoomShort: the supply may not grow by so much today.
        AssetDepegged, RailNotOffered
    """
    vault = desk.chain.vault
    project = vault.project_of(token)
    if project.retired_at:
        raise MintNotOffered(token, "it is retired")
    if not project.public_mint and project.issuer != desk.paying().key.address:
        raise MintNotOffered(token, "it mints for its issuer alone")
    if desk.chain.oracle.depegged():
        raise AssetDepegged
    wanted, room = credit_units(nanocredits_of_assets_down(assets, project.par)), vault.mint_room(token)
    if wanted > room:
        raise MintRoomShort(token, actual=wanted, limit=room)
