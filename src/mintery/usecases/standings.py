"""What each account may do for what it has bought, as a process knows it; asked for every request, so without the ledger."""

from collections.abc import Iterable
from datetime import datetime

from mintery.domain.membership import RENEWAL_GRACE, Offers, PaidMonth, Period, Standing, standing_of
from mintery.domain.voucher import AccountId, Kind


class Standings:
    """Of one process: months that were paid elsewhere are noted by a job within seconds. Safe to read while it notes."""

    def __init__(self, offers: Offers | None = None) -> None:
        self.offers = Offers() if offers is None else offers
        self._months: dict[AccountId, tuple[PaidMonth, ...]] = {}
        self.noted_at: datetime | None = None
        """When the ledger was last asked."""

    def of(self, account: AccountId, now: datetime) -> Standing:
        months = self._months.get(account)
        return self.offers.without if months is None else standing_of(self.offers, months, now)

    def buying(self, account: AccountId, now: datetime, name: str, kind: Kind) -> Standing:
        """As ``of``, with one call's worth of the offer ``name``, which is paid for where the account does not have it.

        Raises:
            UnknownMembership, MembershipNotSold
        """
        standing, offer = self.of(account, now), self.offers.offer(name)
        if name in standing.opens:
            return standing
        self.offers.fee(kind, name, Period.REQUEST)
        return standing.having(offer)._replace(pays=name)

    def note(self, months: Iterable[PaidMonth]) -> None:
        for month in months:
            known = self._months.get(month.account, ())
            if month not in known:
                self._months[month.account] = (*known, month)

    def forget_before(self, now: datetime) -> None:
        """Months that are over."""
        for account, months in list(self._months.items()):
            left = tuple(month for month in months if now < month.ends_at + RENEWAL_GRACE)
            if len(left) == len(months):
                continue
            if left:
                self._months[account] = left
            else:
                del self._months[account]
