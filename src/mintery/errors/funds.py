"""Not enough may be spent."""

from mintery.errors.base import MinteryError


class OutOfFunds(MinteryError):
    """Not enough to spend. Amounts are nanocredits."""

    def __init__(self, message: str, *, account: str, required: int, available: int) -> None:
        super().__init__(message)
        self.account = account
        self.required = required
        self.available = available


class InsufficientBalance(OutOfFunds):
    def __init__(self, *, account: str, required: int, available: int) -> None:
        super().__init__(
            f"the account has {available} nanocredits to spend and this request may need {required}",
            account=account,
            required=required,
            available=available,
        )


class VoucherExhausted(OutOfFunds):
    def __init__(self, *, account: str, required: int, available: int) -> None:
        super().__init__(
            f"the voucher has room for {available} nanocredits more and this request may need {required}",
            account=account,
            required=required,
            available=available,
        )


class LimitReached(OutOfFunds):
    """A limit that the holder set. ``period`` and ``resets_at`` (ISO 8601, UTC) say when it begins anew."""

    def __init__(
        self, *, account: str, required: int, available: int, limit: str, period: str = "", resets_at: str = ""
    ) -> None:
        of = f" of the {period}, which ends at {resets_at}," if period else ""
        super().__init__(
            f"the limit {limit}{of} has room for {available} nanocredits more and this request may need {required}",
            account=account,
            required=required,
            available=available,
        )
        self.limit = limit
        self.period = period
        self.resets_at = resets_at
