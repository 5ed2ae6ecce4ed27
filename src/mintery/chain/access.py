"""AccessManager: who may call what, and after which delay."""

from collections.abc import Sequence

from mintery.chain.contract import Contract
from mintery.chain.rpc import BlockRef, Call, Rpc, TxReceipt
from mintery.chain.sender import Sender
from mintery.domain.voucher import Address

ADMIN_ROLE = 0
GUARDIAN_ROLE = 1


class AccessManager(Contract):
    def __init__(self, rpc: Rpc, address: Address) -> None:
        super().__init__(rpc, "AccessManager", address)

    def has_role(self, role: int, account: Address, *, at: BlockRef | None = None) -> tuple[bool, int]:
        """Whether it is a member, and its execution delay in seconds."""
        member, delay = self.read("hasRole", role, account, at=at)
        return bool(member), int(delay)

    def function_role(self, target: Address, selector: bytes, *, at: BlockRef | None = None) -> int:
        return int(self.read("getTargetFunctionRole", target, selector, at=at))

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
