from dataclasses import replace

import pytest

from mintery.cli.demo.figures import Figure, Unit, check_figures
from mintery.errors import ReconciliationFailed

FIGURES = tuple(
    Figure(name, Unit.CREDITS, 10**21 + place, 10**21 + place, "books") for place, name in enumerate("abcdefg")
)


def test_equal_figures_pass() -> None:
    check_figures(FIGURES)


@pytest.mark.parametrize("place", range(len(FIGURES)))
@pytest.mark.parametrize("side", ["chain", "books"])
def test_one_unit_more_on_either_side_of_any_figure_is_found(place: int, side: str) -> None:
    wrong = replace(FIGURES[place], **{side: getattr(FIGURES[place], side) + 1})

    with pytest.raises(ReconciliationFailed) as found:
        check_figures((*FIGURES[:place], wrong, *FIGURES[place + 1 :]))

    assert found.value.differences == ((wrong.name, wrong.chain, wrong.books),)
