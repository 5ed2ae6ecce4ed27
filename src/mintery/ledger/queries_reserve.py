"""Reads of what each project's reserve has been."""

from sqlalchemy import Connection, select

from mintery.domain.reserve import ReserveObservation
from mintery.domain.voucher import Address
from mintery.ledger.schema_reserve import reserve_observations
from mintery.units import AssetUnits, CreditUnits, UnixSeconds


def reserve_history(connection: Connection, token: Address, limit: int) -> list[ReserveObservation]:
    """The newest ``limit`` of them, oldest first."""
    query = (
        select(reserve_observations)
        .where(reserve_observations.c.token == token)
        .order_by(reserve_observations.c.seq.desc())
        .limit(limit)
    )
    found = [
        ReserveObservation(
            Address(row.token),
            row.block,
            UnixSeconds(row.block_time),
            CreditUnits(int(row.supply)),
            AssetUnits(row.reserve),
            AssetUnits(row.needed),
        )
        for row in connection.execute(query)
    ]
    return found[::-1]
