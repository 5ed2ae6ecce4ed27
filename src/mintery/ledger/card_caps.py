"""What cards have brought within a day, held to its caps when an order is placed, and when its credits are created.

Nobody pays what could not be credited: an order is refused before, for what its holder has paid or may still pay, and for what
everybody has paid. Orders that wait for their payment count for nobody else, or whoever pays nothing could shut others out. So
more may be paid at once than the cap of all; it is the creation of credits that never passes it, and waits.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select

from mintery.domain.card_caps import CAP_WINDOW, CardCaps
from mintery.domain.order import Order, Rail
from mintery.ledger.commands_orders import CapReached
from mintery.ledger.schema import identity
from mintery.ledger.schema_orders import orders
from mintery.ledger.work import Statement, Work, micros
from mintery.units import AssetUnits

# Whoever counts is alone with it, in whichever process: the ledger's own row is locked by nobody else.
_lock = Statement(select(identity.c.one).with_for_update())
_BY_CARD = (orders.c.rail == "card", orders.c.id != bindparam("but"))
_money = func.coalesce(func.sum(func.coalesce(orders.c.paid_assets, orders.c.assets) - orders.c.refunded), 0)
_may_still_be_paid = orders.c.failed_at.is_(None) & (orders.c.expires_at > bindparam("now"))
_placed = Statement(
    select(_money).where(
        *_BY_CARD,
        orders.c.holder == bindparam("its_holder"),
        orders.c.placed_at >= bindparam("since"),
        or_(orders.c.payment.is_not(None), _may_still_be_paid),
    )
)
_paid = Statement(select(_money).where(*_BY_CARD, orders.c.payment_seen_at >= bindparam("since")))
_minted = Statement(select(_money).where(*_BY_CARD, orders.c.minting_at >= bindparam("since")))
_minted_of = Statement(
    select(_money).where(
        *_BY_CARD, orders.c.holder == bindparam("its_holder"), orders.c.minting_at >= bindparam("since")
    )
)


def over_cap_if_placed(work: Work, order: Order, caps: CardCaps | None) -> CapReached | None:
    if caps is None or order.rail is not Rail.CARD:
        return None
    work.row(_lock)
    now, since = micros(order.placed_at), micros(order.placed_at - CAP_WINDOW)
    own = _sum(work, _placed, but=order.id, its_holder=order.account.holder, since=since, now=now)
    return _over(order.assets, own, _sum(work, _paid, but=order.id, since=since), caps)


def over_cap_if_minted(work: Work, order: Order, at: datetime, caps: CardCaps | None) -> CapReached | None:
    if caps is None or order.rail is not Rail.CARD or order.payment is None:
        return None
    work.row(_lock)
    since = micros(at - CAP_WINDOW)
    own = _sum(work, _minted_of, but=order.id, its_holder=order.account.holder, since=since)
    return _over(order.payment.assets, own, _sum(work, _minted, but=order.id, since=since), caps)


def _over(assets: AssetUnits, own: int, whole: int, caps: CardCaps) -> CapReached | None:
    if own + assets > caps.holder:
        return CapReached("holder", assets, AssetUnits(max(0, caps.holder - own)))
    if whole + assets > caps.whole:
        return CapReached("whole", assets, AssetUnits(max(0, caps.whole - whole)))
    return None


def _sum(work: Work, statement: Statement, **parameters: Any) -> int:
    row = work.row(statement, **parameters)
    return 0 if row is None else int(row[0])
