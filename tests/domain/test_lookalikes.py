"""What a person takes for another's name is refused, and what is only near it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintery.domain.lookalikes import Named, check_name, looks_like, skeleton
from mintery.domain.voucher import Address
from mintery.errors import LooksLikeAnother, UnwritableName

PROJECT_X = Named(Address("0x" + "11" * 20), "PROJECTX_AI_CREDITS", "PXAI")
FAKES = [
    "PR0JECTX_AI_CREDITS",
    "projectx_ai_credits",
    "PROJECTX AI CREDITS",
    "PROJECTX-AI-CREDITS",
    "PROJECTX_A1_CREDlTS",
    "PROJECTX__AI__CREDITS!",
    "PR\u041eJECTX_AI_CREDITS",
    "\u0420ROJECTX_AI_CREDITS",
    "PR\u039fJECTX_\u0391I_CREDITS",
    "PROJECTX_\uff21\uff29_CREDITS",
    "PR\u00d6JECTX_AI_CREDITS",
    "PROJECTX\u200b_AI_CREDITS",
    "PRO\u0458ECTX_AI_CREDITS",
]


@pytest.mark.parametrize("name", FAKES)
def test_a_look_alike_is_taken_for_the_project(name: str):
    assert looks_like(name, "NEW", [PROJECT_X]) == PROJECT_X
    with pytest.raises((LooksLikeAnother, UnwritableName)):
        check_name(name, "NEW", [PROJECT_X])


@pytest.mark.parametrize(("name", "symbol"), [("Another thing", "PXA1"), ("PXAI", "SOMETHING"), ("px-ai", "SOMETHING")])
def test_a_symbol_is_compared_with_names_too(name: str, symbol: str):
    with pytest.raises(LooksLikeAnother) as caught:
        check_name(name, symbol, [PROJECT_X])
    assert caught.value.token == PROJECT_X.token


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("PROJECTY_AI_CREDITS", "PYAI"), ("PROJECTX_AI", "PX2"), ("Credits", "CRD"), ("AI", "AI"), ("XPROJECT", "XP")],
)
def test_what_differs_is_no_look_alike(name: str, symbol: str):
    check_name(name, symbol, [PROJECT_X])


@pytest.mark.parametrize("name", ["", "___", "\u041f\u0440\u043e\u0435\u043a\u0442", "a\u202eb", "a\nb", "caf\u00e9"])
def test_what_cannot_be_typed_is_no_name(name: str):
    with pytest.raises(UnwritableName):
        check_name(name, "GOOD", [])


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=3, max_size=31), st.data())
def test_whatever_is_drawn_alike_has_one_skeleton(name: str, data: st.DataObject):
    alike = {"o": "0O\u043e\u03bf", "l": "1I|\u0456", "e": "3E\u0435", "a": "@A\u0430", "s": "$5S\u0455"}
    fake = "".join(data.draw(st.sampled_from(alike.get(char.lower(), "") + char)) for char in name)

    assert skeleton(fake) == skeleton(name)
    assert skeleton(skeleton(name)) == skeleton(name)
