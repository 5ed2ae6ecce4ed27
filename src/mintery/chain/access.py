"""AccessManager: who may call what, and after which delay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mintery.chain.contract import Contract
from mintery.chain.rpc import BlockRef, Call, Rpc, TxReceipt
from mintery.chain.sender import Sender
from mintery.domain.voucher import Address
from mintery.units import UnixSeconds

ADMIN_ROLE = 0
GUARDIAN_ROLE = 1
PUBLIC_ROLE = 2**64 - 1
BLOCKS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Member:
    """A role's member. ``delay``: seconds between announcing and doing; ``since``: when the membership begins to count."""

    role: int
    account: Address
    delay: int
    since: UnixSeconds


@dataclass(frozen=True, slots=True)
class Announced:
    """A call that waits, or waits to be executed, from ``ready_at`` on. ``calldata`` begins with the selector."""

    caller: Address
    target: Address
    calldata: bytes
    ready_at: UnixSeconds


class AccessManager(Contract):
    def __init__(self, rpc: Rpc, address: Address) -> None:
        super().__init__(rpc, "AccessManager", address)

    def has_role(self, role: int, account: Address, *, at: BlockRef | None = None) -> tuple[bool, int]:
        """Whether it is a member, and its execution delay in seconds."""
        member, delay = self.read("hasRole", role, account, at=at)
        return bool(member), int(delay)

    def function_role(self, target: Address, selector: bytes, *, at: BlockRef | None = None) -> int:
        return int(self.read("getTargetFunctionRole", target, selector, at=at))

    def members(self, *, first_block: int, at: BlockRef) -> tuple[Member, ...]:
        """Everyone who holds a role at ``at``, by role and account; grants are searched from ``first_block`` on."""
        granted = {(e["roleId"], e["account"]) for e in self._events(("RoleGranted",), first_block, at)}
        found = []
        for role, account in sorted(granted):
            since, delay, _, _ = self.read("getAccess", role, account, at=at)
            if since:
                found.append(Member(role, Address(account), int(delay), UnixSeconds(since)))
        return tuple(found)

    def announced(self, *, first_block: int, at: BlockRef) -> tuple[Announced, ...]:
        """Calls that were scheduled and neither executed, cancelled nor expired, the next one first."""
        latest = {e["operationId"]: e for e in self._events(("OperationScheduled",), first_block, at)}
        waiting = []
        for operation, event in latest.items():
            ready_at = int(self.read("getSchedule", operation, at=at))
            if ready_at:
                waiting.append(Announced(event["caller"], event["target"], event["data"], UnixSeconds(ready_at)))
        return tuple(sorted(waiting, key=lambda call: call.ready_at))

    def is_closed(self, target: Address, *, at: BlockRef | None = None) -> bool:
        """Nobody calls a restricted function of a closed target."""
        return bool(self.read("isTargetClosed", target, at=at))

    def _events(self, names: Sequence[str], first_block: int, at: BlockRef) -> Iterator[dict[str, Any]]:
        known = {topic: event for topic, event in self.abi.events.items() if event.name in names}
        for low in range(first_block, at.number + 1, BLOCKS_AT_ONCE):
            high = min(low + BLOCKS_AT_ONCE - 1, at.number)
            for log in self.rpc.logs(low, high, [self.address], list(known)):
                yield known[log.topics[0]].decode_log(log.topics, log.payload)

    def function_roles_call(self, target: Contract, functions: Sequence[str], role: int) -> Call:
        selectors = [target.abi.selector(function) for function in functions]
        return self.call("setTargetFunctionRole", target.address, selectors, role)

    def grant_call(self, role: int, account: Address, *, delay: int) -> Call:
        return self.call("grantRole", role, account, delay)

    def revoke_call(self, role: int, account: Address) -> Call:
        return self.call("revokeRole", role, account)

    def execute_call(self, inner: Call) -> Call:
        """A restricted call, sent on by the manager."""
        return self.call("execute", inner.to, inner.calldata)

    def execute(self, sender: Sender, inner: Call) -> TxReceipt:
        """Raises TransactionReverted, AccessManagerUnauthorizedCall among them."""
        return sender.send(self.execute_call(inner))

    def schedule(self, sender: Sender, inner: Call) -> TxReceipt:
        """Announces a call whose role has a delay; ``execute`` does it after that delay."""
        return sender.send(self.call("schedule", inner.to, inner.calldata, 0))

    def multicall(self, sender: Sender, calls: Sequence[Call], *, action: str) -> TxReceipt:
        """Several calls of this manager in one transaction, all or none."""
        packed = self.call("multicall", [call.calldata for call in calls])
        return sender.send(Call(action, self.address, packed.calldata))
