"""Look at the price sources for what is sold here, between two reports: what they contradict each other on is not sold."""

from collections.abc import Mapping
from datetime import datetime

from mintery.domain.model import Model
from mintery.usecases.observe_prices import unroutable
from mintery.usecases.report_prices import Reporter
from mintery.usecases.tariffs import Tariffs


def watch_sources(reporter: Reporter, models: Mapping[str, Model], tariffs: Tariffs, now: datetime) -> None:
    """By the eyes of a reporter that runs here. Without one, the oracle alone says what has a price."""
    skus = sorted({str(sku) for model in models.values() for sku in model.skus})
    tariffs.note(unroutable(reporter.observe(skus, now)))
