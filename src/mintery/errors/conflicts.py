"""What is asked contradicts what was done before."""

from collections.abc import Mapping, Sequence

from mintery.errors.base import MinteryError


class Conflict(MinteryError):
    """It was done before."""


class VoucherAlreadyUsed(Conflict):
    """A raised voucher admits one request."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"this raised voucher was used by request {request_id}")
        self.request_id = request_id


class IdempotencyConflict(Conflict):
    """The idempotency key was used with another body."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"this Idempotency-Key belongs to request {request_id}, which had another body")
        self.request_id = request_id


class AnswerGone(Conflict):
    """The idempotency key's answer is no longer kept; the receipt is."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} was answered and charged; its answer is no longer kept, its receipt is")
        self.request_id = request_id


class RequestUnderWay(Conflict):
    """The attempt to be joined runs in another gateway process, and this one stops before it has ended."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} is under way; read its receipt before you send it again")
        self.request_id = request_id


class RequestUnresolved(Conflict):
    """The process that answered the attempt is gone. Without evidence of its end it is charged to nobody."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"request {request_id} was sent and its end is not known here; its receipt will say what became of it, "
            "and it costs nothing unless that says so"
        )
        self.request_id = request_id


class AttemptFailed(Conflict):
    """The attempt of this idempotency key failed and cost nothing."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} failed and cost nothing; send it again under a new Idempotency-Key")
        self.request_id = request_id


class JobNotDone(Conflict):
    """What a job makes is there once it is completed. ``status`` is the job's."""

    def __init__(self, request_id: str, status: str) -> None:
        super().__init__(f"job {request_id} is {status}; what it makes can be fetched once it is completed")
        self.request_id = request_id
        self.status = status


class MonthAboveAgreed(Conflict):
    """A month costs more than was agreed to: nothing is charged. Nanocredits."""

    def __init__(self, membership: str, *, actual: int, limit: int) -> None:
        super().__init__(f"a month of {membership} costs {actual} nanocredits now; {limit} was agreed to at most")
        self.membership = membership
        self.actual = actual
        self.limit = limit


class WriteOffRefused(Conflict):
    def __init__(self, request_id: str, why: str) -> None:
        super().__init__(f"receipt {request_id} is not written off: {why}")
        self.request_id = request_id
        self.why = why


class OrderTransitionRefused(Conflict):
    """An order's facts do not allow it. ``status`` is the order's now."""

    def __init__(self, order_id: str, status: str, why: str) -> None:
        super().__init__(f"order {order_id} is {status}: {why}")
        self.order_id = order_id
        self.status = status
        self.why = why


class MoveRefused(Conflict):
    """What the holder asked for or signed does not fit what the chain says. Nothing was sent."""

    def __init__(self, why: str) -> None:
        super().__init__(f"nothing was moved: {why}")
        self.why = why


class OwnTransactionNeeded(MoveRefused):
    """A contract wallet has no key that could sign this: it sends transactions of its own.

    ``calls``: those that do what was asked for, each as what an app shows and what it sends.
    """

    def __init__(self, why: str, calls: Sequence[Mapping[str, str]]) -> None:
        super().__init__(why)
        self.calls = list(calls)


class ChannelChangedMeanwhile(Conflict):
    hint = "Look at it again (`mintery channel list`), and repeat the change if it is still wanted."

    def __init__(self, name: str, setting: str) -> None:
        super().__init__(f"{setting} of {name} was changed by somebody else at the same time; nothing was written")
        self.name = name
        self.setting = setting
