"""What a transaction offers per gas: enough for the next blocks, more when it must outbid itself, never above a cap."""

from dataclasses import dataclass

from mintery.units import Wei, ceil_div

DUST = 2**24
"""Wei per gas below which fees are drawn at random, which nobody pays: two that sign one call with one nonce must not make
the same transaction, or each would take the other's for its own."""


@dataclass(frozen=True, slots=True)
class Fees:
    """EIP-1559: the most that is paid per gas, and what of it goes to whoever makes the block."""

    max_fee: Wei
    priority_fee: Wei


def fees_for(base_fee: Wei, priority_fee: Wei, *, dust: int) -> Fees:
    """Twice the present base fee: six full blocks of growth. ``dust`` is below ``DUST``."""
    return Fees(Wei(2 * base_fee + priority_fee + dust), priority_fee)


def capped_fees(base_fee: Wei, priority_fee: Wei, *, dust: int, cap: Wei) -> Fees | None:
    """As ``fees_for``, or as much of it as ``cap`` allows: what a node suggests for the block's maker may be anything, as it
    follows what others paid last. None where the next block itself costs more than the cap.
    """
    wanted = fees_for(base_fee, priority_fee, dust=dust)
    if wanted.max_fee <= cap:
        return wanted
    if base_fee + DUST > cap:
        return None
    return Fees(Wei(cap - dust), min(priority_fee, Wei(cap - dust - base_fee)))


def raised(fee: Wei) -> Wei:
    """The least that nodes take in the place of ``fee``: an eighth more."""
    return Wei(ceil_div(fee * 9, 8))


def bumped_fees(before: Fees, base_fee: Wei, priority_fee: Wei, *, cap: Wei | None = None) -> Fees | None:
    """At least an eighth more of both, and what the present base fee asks for, up to ``cap``.

    None where an eighth more passes the cap.
    """
    least = raised(before.max_fee)
    if cap is not None and least > cap:
        return None
    tip = max(raised(before.priority_fee), priority_fee)
    wanted = max(least, 2 * base_fee + tip)
    max_fee = wanted if cap is None else min(wanted, cap)
    return Fees(Wei(max_fee), Wei(min(tip, max_fee)))
