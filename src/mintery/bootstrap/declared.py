"""What a reporter that runs beside no gateway believes of models: the tiers, windows and providers' names by which it finds a SKU in
its sources.

A gateway's own reporters know what it sells. One that runs alone must not ask the gateway: whoever says that a model goes by
another name at its provider decides whose price is signed for it. It believes its operator (the providers file, and the
ledger where one is named, both as they change), and the oracle, whose SKUs carry their tiers in their names.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Self

from mintery.domain.model import Model
from mintery.errors import LedgerError, MalformedFile
from mintery.ledger.audit import open_audit
from mintery.providers.charges import Declaration, Named, named_by
from mintery.providers.config import models_of, read_sellers
from mintery.providers.price_lists import file_mark
from mintery.settings import Settings
from mintery.usecases.channel_board import ChannelBoard, ChannelSource

log = logging.getLogger(__name__)


class DeclaredModels(Mapping[str, Declaration]):
    """By model id, as of the last ``look``. What cannot be read any more stays as it was last read."""

    def __init__(self, providers: Path | None = None, ledger: Callable[[], ChannelSource] | None = None) -> None:
        """``providers``: a providers file; ``ledger``: opens the operator's own, and is asked again where it is out of reach.

        Raises:
            MalformedFile: what is wrong from the start is a mistake of whoever named it.
        """
        self._providers = providers
        self._open_ledger = ledger
        self._ledger: ChannelSource | None = None
        self._mark = None if providers is None else file_mark(providers)
        self._sellers = () if providers is None else read_sellers(providers)
        self._board = self._new_board()
        self._named: Mapping[str, Named] = {}
        self._read_ledger()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Raises MalformedFile."""
        where = settings.ledger
        return cls(settings.providers, None if where is None else partial(open_audit, where))

    def look(self, skus: Iterable[str]) -> None:
        """Before the sources are asked for ``skus``, those of the oracle."""
        self._named = named_by(skus)
        self._read_file()
        try:
            self._read_ledger()
        except MalformedFile as error:
            log.warning("ledger unread", extra={"why": error.why})

    def __getitem__(self, model: str) -> Declaration:
        known = self._listed.get(model)
        return self._named[model] if known is None else known

    def __iter__(self) -> Iterator[str]:
        return iter({**self._named, **self._listed})

    def __len__(self) -> int:
        return len({**self._named, **self._listed})

    @property
    def _listed(self) -> Mapping[str, Model]:
        return self._board.listed

    def _read_file(self) -> None:
        if self._providers is None or (mark := file_mark(self._providers)) == self._mark:
            return
        self._mark = mark
        try:
            self._sellers = read_sellers(self._providers)
        except MalformedFile as error:
            log.warning("providers file unread", extra={"why": error.why})
        else:
            self._board = self._new_board()

    def _read_ledger(self) -> None:
        """Raises MalformedFile."""
        if self._open_ledger is None:
            return
        try:
            if self._ledger is None:
                self._ledger = self._open_ledger()
                self._board = self._new_board()
            self._board.refresh()
        except LedgerError as error:
            log.warning("channels unread", extra={"why": str(error)})

    def _new_board(self) -> ChannelBoard:
        return ChannelBoard(models_of(self._sellers), sellers=self._sellers, ledger=self._ledger)
