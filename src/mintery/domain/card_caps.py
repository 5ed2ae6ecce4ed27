"""How much money by card becomes credits within a day: what stolen cards can cost the operator before anybody notices.

A payment by card can be taken back for months, while its credits are spent in seconds.
"""

from dataclasses import dataclass
from datetime import timedelta

from mintery.units import AssetUnits

CAP_WINDOW = timedelta(days=1)
"""Any 24 hours, not a calendar day."""


@dataclass(frozen=True, slots=True)
class CardCaps:
    """Within ``CAP_WINDOW``. ``holder``: of each holder; ``whole``: of all of them together."""

    holder: AssetUnits
    whole: AssetUnits
