"""How the wallet reads amounts: in credits, or in dollars by the project's par, which is fixed."""

from pydantic import BaseModel, Field, model_validator

from mintery.domain.project import Project
from mintery.units import (
    NANO_DECIMALS,
    NanoCredits,
    assets_down,
    credit_units,
    format_assets,
    format_nanocredits,
    nanocredits_of_assets_down,
    parse_assets,
    parse_decimal,
)


class AmountIn(BaseModel):
    """One of the two."""

    credits: str | None = Field(
        None, max_length=40, description="Plain digits, like 12.5; at most nine after the point."
    )
    usd: str | None = Field(None, max_length=40, description="Plain digits, like 20; at most six after the point.")

    @model_validator(mode="after")
    def _one(self) -> "AmountIn":
        if (self.credits is None) == (self.usd is None):
            raise ValueError("give either credits or usd")
        return self

    def nanocredits(self, project: Project) -> NanoCredits:
        """Raises MalformedAmount."""
        if self.credits is not None:
            return NanoCredits(parse_decimal(self.credits, NANO_DECIMALS))
        return nanocredits_of_assets_down(parse_assets(self.usd or ""), project.par)


def amount_json(name: str, amount: NanoCredits, project: Project | None) -> dict[str, str | None]:
    """``NAME_nanocredits``, ``NAME_credits`` and ``NAME_usd``; no dollars for a project that is not read now."""
    usd = None if project is None else format_assets(assets_down(credit_units(amount), project.par))
    return {f"{name}_nanocredits": str(amount), f"{name}_credits": format_nanocredits(amount), f"{name}_usd": usd}
