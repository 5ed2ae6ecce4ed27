"""What this process sells: the providers file, and on top of it what the operator set, read again whenever that changes."""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from mintery.domain.channel import ChannelChange, Channels, ChannelSettings, channels_of, settings_of
from mintery.domain.model import Model
from mintery.errors import ChannelDisabled, MalformedFile, NotAvailable, NotFound, UnknownModel
from mintery.providers.config import ProviderConfig, parse_model

LOG = logging.getLogger(__name__)


class ChannelSource(Protocol):
    """Where the operator's settings are read: a ledger."""

    def channel_mark(self) -> tuple[int, int]:
        """Changes whenever they do."""

    def channel_settings(self) -> Sequence[ChannelChange]:
        """The newest of each."""


class ChannelBoard:
    """Safe to share between threads: what is read is replaced whole, and never changed.

    Attributes:
        declared: by the providers file.
        sellers: the providers that it names.
        settings: the operator's, as last read.
        listed: every channel that is not removed.
        models: those that are for sale; ``off`` the others.
        version: how often they changed.
        unusable: channels that were added and cannot be sold here, each with its reason.
    """

    def __init__(
        self,
        declared: Mapping[str, Model],
        *,
        sellers: Iterable[ProviderConfig] = (),
        ledger: ChannelSource | None = None,
    ) -> None:
        """Without a ledger nothing is ever set."""
        self.declared = declared
        self.sellers = {seller.name: seller for seller in sellers}
        self.settings = ChannelSettings()
        self.listed: Mapping[str, Model] = declared
        self.models: Mapping[str, Model] = declared
        self.off: tuple[Model, ...] = ()
        self.unusable: Mapping[str, str] = {}
        self.version = 0
        self._ledger = ledger
        self._mark = (0, 0)
        self._lock = threading.Lock()

    def refresh(self) -> bool:
        """Whether anything was changed since.

        Raises:
            LedgerUnavailable: what was read last stays.
        """
        if self._ledger is None:
            return False
        with self._lock:
            if (mark := self._ledger.channel_mark()) == self._mark:
                return False
            newest = self._ledger.channel_settings()
            self._take(settings_of((change.subject, change.value) for change in newest))
            self._mark = mark
            return True

    def missing(self, name: str) -> NotAvailable | NotFound:
        """What is told of a name that nothing for sale goes by."""
        off = any(name in {model.id, model.serves or model.id} for model in self.listed.values())
        return ChannelDisabled(name) if off else UnknownModel(name)

    def _take(self, settings: ChannelSettings) -> None:
        added: dict[str, Model] = {}
        unusable: dict[str, str] = {}
        for channel, terms in settings.terms.items():
            if terms is None:
                continue
            try:
                added[channel] = self._added(channel, terms)
            except MalformedFile as error:
                unusable[channel] = error.why
                LOG.warning("channel_unusable channel=%s why=%s", channel, error.why)
        found: Channels = channels_of(self.declared, added, settings)
        self.settings, self.unusable, self.listed = settings, unusable, found.listed
        self.off = tuple(model for name, model in found.listed.items() if name not in found.for_sale)
        self.models = found.for_sale
        self.version += 1  # last: whoever reads it finds what it counts

    def _added(self, channel: str, terms: Mapping[str, object]) -> Model:
        provider = channel.partition("/")[0]
        if (seller := self.sellers.get(provider)) is None:
            raise MalformedFile(channel, f"the providers file here names no {provider}")
        return parse_model(terms, seller, where=channel)


class ListedModels(Mapping[str, Model]):
    """``board.listed`` as it is at each look; for those who price what may be sold again at any time."""

    def __init__(self, board: ChannelBoard) -> None:
        self._board = board

    def __getitem__(self, channel: str) -> Model:
        return self._board.listed[channel]

    def __iter__(self) -> Iterator[str]:
        return iter(self._board.listed)

    def __len__(self) -> int:
        return len(self._board.listed)
