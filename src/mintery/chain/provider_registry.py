"""ProviderRegistry: who may be paid for model calls, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mintery.chain.contract import Contract
from mintery.chain.rpc import BlockRef, Call, Rpc, TxReceipt
from mintery.chain.sender import Sender
from mintery.chain.terms import kind_number, kind_of
from mintery.domain.voucher import Address, Kind
from mintery.errors import UnknownProvider


@dataclass(frozen=True, slots=True)
class Provider:
    """A registered provider. What was called before it was switched off or forbade resale is still paid."""

    id: int
    name: str
    payout: Address
    kind: Kind
    active: bool
    resale_allowed: bool

    @property
    def takes_holds(self) -> bool:
        """Only routed projects sell a provider's models on, and only routed providers are in their terms."""
        return self.active and (self.resale_allowed or self.kind is not Kind.ROUTED)


class ProviderRegistry(Contract):
    """Ids count from 1."""

    def __init__(self, rpc: Rpc, address: Address) -> None:
        super().__init__(rpc, "ProviderRegistry", address)

    def count(self, *, at: BlockRef | None = None) -> int:
        return int(self.read("count", at=at))

    def provider_of(self, provider_id: int, *, at: BlockRef | None = None) -> Provider:
        """Raises TransactionReverted (UnknownProvider) for an id that is not registered."""
        return _provider(provider_id, self.read("providerOf", provider_id, at=at))

    def providers(self, *, at: BlockRef | None = None) -> tuple[Provider, ...]:
        pinned = at or self.rpc.block()
        ids = range(1, self.count(at=pinned) + 1)
        return tuple(map(_provider, ids, self.read_each("providerOf", ids, at=pinned)))

    def id_of(self, name: str, *, at: BlockRef | None = None) -> int:
        """Raises UnknownProvider for a name that is not registered."""
        provider_id = int(self.read("idOf", name, at=at))
        if not provider_id:
            raise UnknownProvider(name)
        return provider_id

    def is_registered(self, name: str, *, at: BlockRef | None = None) -> bool:
        return bool(self.read("idOf", name, at=at))

    def register_call(self, name: str, payout: Address, kind: Kind, *, resale_allowed: bool) -> Call:
        """To be sent through the AccessManager by the admin."""
        return self.call("register", name, payout, kind_number(kind), resale_allowed)

    def change_payout(self, sender: Sender, provider_id: int, payout: Address) -> TxReceipt:
        """By the present payout address alone."""
        return sender.send(self.call("changePayout", provider_id, payout))

    def activate(self, sender: Sender, provider_id: int) -> TxReceipt:
        return sender.send(self.call("activate", provider_id))

    def deactivate(self, sender: Sender, provider_id: int) -> TxReceipt:
        return sender.send(self.call("deactivate", provider_id))

    def allow_resale(self, sender: Sender, provider_id: int) -> TxReceipt:
        return sender.send(self.call("allowResale", provider_id))

    def forbid_resale(self, sender: Sender, provider_id: int) -> TxReceipt:
        return sender.send(self.call("forbidResale", provider_id))


def _provider(provider_id: int, fields: Mapping[str, Any]) -> Provider:
    return Provider(
        id=provider_id,
        name=fields["name"],
        payout=fields["payout"],
        kind=kind_of(fields["kind"]),
        active=fields["active"],
        resale_allowed=fields["resaleAllowed"],
    )
