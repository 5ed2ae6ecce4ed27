"""What a payment rail answered."""

from mintery.errors.base import MinteryError


class RailError(MinteryError):
    """What brings money in or takes it back did not do as it was asked. ``rail`` names it."""

    def __init__(self, rail: str, why: str) -> None:
        super().__init__(f"{rail}: {why}")
        self.rail = rail
        self.why = why


class RailUnavailable(RailError):
    """It gave no answer; what was asked may have been done, and is asked again under the same name."""


class RailRefused(RailError):
    """It says no."""


class RailNonsense(RailError):
    """Its answer is not of the form that it documents, or contradicts what was asked."""


class RailNotOffered(RailError):
    """This gateway takes no money by it."""
