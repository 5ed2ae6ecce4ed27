"""How a page looks and reads: at both widths, light and dark, to eyes and to a screen reader."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from tests.wallet.words import forbidden_in

ROOT = Path(__file__).parents[2]
AXE = ROOT / "contracts" / "node_modules" / "axe-core" / "axe.min.js"
NARROW, WIDE = (360, 740), (1280, 900)
SCREENSHOTS = os.environ.get("MINTERY_SCREENSHOTS")
"""A folder that each look leaves its pictures in, for people."""


@cache
def axe_source() -> str:
    return AXE.read_text()


def check_looks(page: Page, name: str, *, technical: bool = False) -> None:
    """Nothing is wider than the screen, axe finds nothing serious, in light and dark, on a phone and on a desk; every screen says
    TEST MONEY, and none speaks of the works but a ``technical`` one.
    """
    text = page.inner_text("body")
    assert "TEST MONEY" in text
    assert technical or forbidden_in(text) == [], (name, forbidden_in(text))
    for width, height in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of playwright's own words
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width}"
            if SCREENSHOTS:
                page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{width}-{scheme}.png", full_page=True)
            # Colours differ by scheme and the order of things by width: these two have all of both.
            if (width, scheme) in {(WIDE[0], "light"), (NARROW[0], "dark")}:
                assert serious_findings(page) == [], f"{name} at {width} px, {scheme}"


def serious_findings(page: Page) -> list[str]:
    """What axe calls serious or critical, each with the first element that it found it in."""
    page.evaluate(axe_source())
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {each['help']}: {each['nodes'][0]['html']} {each['nodes'][0].get('failureSummary')}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ]
