"""Agreements to pay by the month, and their months: each charged once, and only while its agreement stands."""

from sqlalchemy import bindparam, select, update

from mintery.domain.hold import Capture
from mintery.domain.voucher import AccountId
from mintery.errors import LedgerInconsistent
from mintery.ledger.apply_endings import capture_hold
from mintery.ledger.apply_holds import place_hold
from mintery.ledger.commands import Done, HoldNotEnding, HoldPlaced, NotWritten, RequestKnown, Result
from mintery.ledger.commands_memberships import AgreeMembership, ChargeMonth, EndMembership
from mintery.ledger.rows import voucher_row
from mintery.ledger.schema import vouchers
from mintery.ledger.schema_memberships import membership_months, memberships
from mintery.ledger.sheet import open_sheet
from mintery.ledger.work import Statement, Work, insert_of, micros

_REPLACED = "replaced"
_STANDING = (
    memberships.c.account == bindparam("its_account"),
    memberships.c.name == bindparam("its_name"),
    memberships.c.ended_at.is_(None),
)
# Whoever ends it meanwhile waits until the month is written, or is seen here.
_ITS_VOUCHER = (vouchers.c.account == memberships.c.account) & (vouchers.c.digest == memberships.c.voucher)
_standing = Statement(
    select(memberships.c.seq, vouchers.c.key_hash)
    .join_from(memberships, vouchers, _ITS_VOUCHER)
    .where(*_STANDING)
    .with_for_update(of=memberships)
)
_end = Statement(update(memberships).where(*_STANDING).values(ended_at=bindparam("at"), ended_for=bindparam("why")))
_agree = Statement(insert_of(memberships))
_keep_voucher = Statement(insert_of(vouchers).on_conflict_do_nothing())
_paid = Statement(
    select(membership_months.c.request).where(
        membership_months.c.account == bindparam("its_account"),
        membership_months.c.name == bindparam("its_name"),
        membership_months.c.month == bindparam("its_month"),
    )
)
_record = Statement(insert_of(membership_months))


def agree_membership(work: Work, command: AgreeMembership) -> Done | NotWritten:
    if (refused := _refused(work, command)) is not None:
        return refused
    work.run(_keep_voucher, **voucher_row(command.signed, command.digest, command.account))
    work.run(_end, its_account=command.account, its_name=command.name, at=micros(command.at), why=_REPLACED)
    work.run(
        _agree,
        account=command.account,
        name=command.name,
        voucher=command.digest,
        most=command.most,
        agreed_at=micros(command.at),
        ended_at=None,
        ended_for=None,
    )
    return Done(1)


def end_membership(work: Work, command: EndMembership) -> Done | NotWritten:
    if (refused := _refused(work, command)) is not None:
        return refused
    return Done(
        work.run(_end, its_account=command.account, its_name=command.name, at=micros(command.at), why=command.why)
    )


def _refused(work: Work, command: AgreeMembership | EndMembership) -> NotWritten | None:
    """What one voucher key agreed to is not another's to change, though both spend the same account."""
    if command.only_of is None:
        return None
    standing = work.row(_standing, its_account=command.account, its_name=command.name)
    if standing is None or bytes(standing[1]) == command.only_of:
        return None
    return NotWritten(f"another key agreed to pay {command.name}")


def charge_month(work: Work, command: ChargeMonth) -> Result:
    """Locks the agreement, then the account: whoever ends the one does not touch the other."""
    hold = command.hold
    standing = work.row(_standing, its_account=hold.account, its_name=command.name)
    if standing is None and command.agrees is None:
        return NotWritten(f"no agreement to pay {command.name} stands")
    if command.agrees is not None and (refused := _refused(work, command.agrees)) is not None:
        return refused
    paid = work.row(_paid, its_account=hold.account, its_name=command.name, its_month=command.month)
    if paid is not None:
        return RequestKnown(paid[0], "month", hold.key.body)
    charged = _charge(work, command)
    if isinstance(charged, Capture):
        if command.agrees is not None:
            agree_membership(work, command.agrees)
            standing = work.row(_standing, its_account=hold.account, its_name=command.name)
        assert standing is not None  # noqa: S101 -- it stood, or was just agreed to
        _record_month(work, command, hold.account, standing[0])
    return charged


def _charge(work: Work, command: ChargeMonth) -> Result:
    """As any other request: the account's rules admit the hold, and its capture leaves a receipt."""
    sheet = open_sheet(work, [command.hold, command.capture])
    placed: Result = place_hold(sheet, command.hold)
    if isinstance(placed, HoldPlaced):
        captured = capture_hold(sheet, command.capture)
        if isinstance(captured, HoldNotEnding | NotWritten):
            raise LedgerInconsistent(f"a month that was just held is not captured: {captured}")
        placed = captured
    sheet.close()
    return placed


def _record_month(work: Work, command: ChargeMonth, account: AccountId, membership: int) -> None:
    work.run(
        _record,
        membership=membership,
        account=account,
        name=command.name,
        month=command.month,
        request=command.hold.request,
        starts_at=micros(command.starts_at),
        ends_at=micros(command.ends_at),
        anchor=command.anchor,
        paid_at=micros(command.hold.placed_at),
    )
