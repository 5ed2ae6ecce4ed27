"""Without a mouse."""

from playwright.sync_api import Page, expect

from .looks import NARROW


def test_the_content_is_one_key_away(signed_in: Page) -> None:
    signed_in.keyboard.press("Tab")
    expect(signed_in.get_by_role("link", name="Skip to the content")).to_be_focused()
    signed_in.keyboard.press("Enter")

    expect(signed_in.locator("#main")).to_be_focused()


def test_the_menu_of_a_narrow_screen_opens_and_closes(signed_in: Page) -> None:
    signed_in.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    menu, pages = signed_in.get_by_role("button", name="Menu"), signed_in.get_by_role("navigation", name="Pages")
    expect(pages).to_be_hidden()
    menu.focus()
    signed_in.keyboard.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(pages.get_by_role("link", name="Home")).to_have_attribute("aria-current", "page")
    signed_in.keyboard.press("Tab")
    expect(pages.get_by_role("link", name="Home")).to_be_focused()
    menu.focus()
    signed_in.keyboard.press("Enter")

    expect(pages).to_be_hidden()


def test_a_dialog_keeps_the_focus_and_gives_it_back(signed_in: Page) -> None:
    signed_in.goto("/wallet/keys")
    expect(signed_in.get_by_role("heading", level=1, name="Keys and limits")).to_be_visible()
    signed_in.evaluate(
        "import('/wallet/files/ui.js').then((ui) => { window.asked = ui.confirm('Sure?', 'Really.', 'Yes, do it'); })"
    )
    dialog = signed_in.get_by_role("dialog", name="Sure?")
    expect(dialog).to_be_visible()
    assert signed_in.evaluate("document.activeElement.closest('dialog') !== null")
    signed_in.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    assert signed_in.evaluate("window.asked") is False
