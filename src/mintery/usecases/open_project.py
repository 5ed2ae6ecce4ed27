"""Open a project: a credit token with its terms."""

from dataclasses import dataclass

from mintery.chain.events import ProjectOpened, events_of
from mintery.chain.rpc import TxReceipt
from mintery.chain.sender import Sender
from mintery.chain.terms import Terms
from mintery.domain.voucher import Address
from mintery.usecases.onchain import OnChain


@dataclass(frozen=True, slots=True)
class OpenedProject:
    token: Address
    issuer: Address
    terms: Terms
    tx: TxReceipt


def open_project(chain: OnChain, issuer: Sender, terms: Terms) -> OpenedProject:
    """The sender becomes the project's issuer, for good.

    Raises:
        TransactionReverted: ParOutOfRange, MarkupOnOfficialProject, EmptyName, ZeroFeeRecipient, ProviderKindMismatch.
    """
    tx = chain.vault.open_project(issuer, terms)
    opened = next(events_of(tx.logs, chain.vault.address, ProjectOpened))
    return OpenedProject(opened.token, opened.issuer, opened.terms, tx)
