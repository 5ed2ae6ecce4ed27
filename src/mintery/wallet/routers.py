"""Everything that the wallet answers, in one list."""

from collections.abc import Sequence

from fastapi import APIRouter

from mintery.gateway.errors import ErrorTable, Problems
from mintery.gateway.shared import shared
from mintery.wallet import exits, holdings, sign_in, statement
from mintery.wallet.activity import activity_router
from mintery.wallet.authorities import authorities_router
from mintery.wallet.dev_signing import dev_signing_router
from mintery.wallet.exits import exits_router
from mintery.wallet.holdings import holdings_router
from mintery.wallet.keys import keys_router
from mintery.wallet.limits import limits_router
from mintery.wallet.memberships import memberships_router
from mintery.wallet.operator_sign_in import operator_sign_in_router
from mintery.wallet.orders import orders_router
from mintery.wallet.pages_router import pages_router
from mintery.wallet.sign_in import sign_in_router
from mintery.wallet.statement import statement_router
from mintery.wallet.top_up_offers import top_up_offers_router

ERRORS: Sequence[ErrorTable] = (sign_in.ERRORS, holdings.ERRORS, exits.ERRORS, statement.ERRORS)
"""Each area's own table; a new area adds its table here and its router below."""


def routers(problems: Problems) -> Sequence[APIRouter]:
    return (
        pages_router(),
        sign_in_router(problems),
        operator_sign_in_router(problems),
        shared(dev_signing_router, problems),
        holdings_router(problems),
        exits_router(problems),
        shared(top_up_offers_router, problems),
        statement_router(problems),
        shared(activity_router, problems),
        orders_router(problems),
        shared(keys_router, problems),
        shared(authorities_router, problems),
        shared(limits_router, problems),
        shared(memberships_router, problems),
    )
