"""From person to person, and from one's own wallet into what apps may spend."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from mintery.bootstrap import DEV_ROLES
from mintery.domain.voucher import Address
from mintery.units import CreditUnits, parse_credits
from mintery.usecases.mint_credits import mint_credits

from .conftest import Complaints, Served
from .looks import check_looks
from .wallet_app import WalletApp, account_of

HOLDER, FRIEND = account_of(DEV_ROLES["holder"]), account_of(DEV_ROLES["friend"])
REFUSED = "(Conflict)"


def balance_of(served: Served, address: str) -> CreditUnits:
    return served.stack.chain.token(served.wallet.token).balance_of(Address(address))


@pytest.fixture
def outside(served: Served) -> None:
    """Ten credits in the holder's own wallet."""
    chain = served.stack.chain
    issuer = chain.sender(served.stack.key("issuer"))
    mint_credits(chain, issuer, served.wallet.token, parse_credits("10"), to=Address(HOLDER.address))
    served.stack.gateway.board.refresh()


def fill(page: Page, to: str, credits_: str) -> None:
    page.get_by_label("To the address").fill(to)
    page.get_by_label("How much").fill(credits_)
    page.get_by_role("button", name="Look it over").click()


@pytest.mark.usefixtures("outside")
def test_credits_reach_a_friend(signed_in: Page, served: Served) -> None:
    before = balance_of(served, FRIEND.address)
    signed_in.goto("/wallet/send")
    expect(signed_in.get_by_role("heading", level=1, name="Send")).to_be_visible()
    check_looks(signed_in, "send")
    fill(signed_in, FRIEND.address, "2.5")
    expect(signed_in.get_by_text("You have never sent to this address")).to_be_visible()
    check_looks(signed_in, "send-review")
    signed_in.get_by_role("button", name="Sign and send").click()

    expect(signed_in.get_by_text("Sent 2.50 PXAI")).to_be_visible()
    assert balance_of(served, FRIEND.address) - before == parse_credits("2.5")


@pytest.mark.usefixtures("outside")
def test_an_address_that_looks_like_a_known_one_is_held_up(signed_in: Page, holder_app: WalletApp) -> None:
    alike = FRIEND.address[:6].lower() + "0" * 32 + FRIEND.address[-4:].lower()
    signed_in.evaluate(
        "address => localStorage.setItem('mintery-people', JSON.stringify({[address]: 'Ada'}))", FRIEND.address.lower()
    )
    signed_in.goto("/wallet/send")
    fill(signed_in, alike, "1")

    expect(signed_in.get_by_role("alert")).to_contain_text("looks like another one that you know")
    expect(signed_in.get_by_role("alert")).to_contain_text("Ada")
    expect(signed_in.get_by_role("button", name="Sign and send")).to_be_disabled()
    assert "eth_signTypedData_v4" not in holder_app.asked


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(
    ("to", "credits_", "told"),
    [
        (lambda: "0x1234", "1", "An address has 42 letters and digits; this one has 6."),
        (lambda: HOLDER.address, "1", "This is your own address."),
        (lambda: FRIEND.address, "1,000", "Write an amount like 12.5."),
        (lambda: FRIEND.address, "999999", "PXAI to send."),
    ],
)
def test_slips_are_told_before_anything_is_signed(
    signed_in: Page, to: Callable[[], str], credits_: str, told: str
) -> None:
    signed_in.goto("/wallet/send")
    fill(signed_in, to(), credits_.replace("1,000", "1,0,0"))

    expect(signed_in.get_by_role("alert")).to_contain_text(told)


@pytest.mark.usefixtures("outside")
def test_a_mistyped_letter_and_a_program_are_refused(signed_in: Page, served: Served, complaints: Complaints) -> None:
    complaints.expected.append("/v1/wallet/moves/offer)")
    mistyped = FRIEND.address[:-1] + ("A" if FRIEND.address[-1] != "A" else "B")
    for to, told in [(mistyped, "checksum is wrong"), (served.stack.chain.escrow.address, "belongs to a program")]:
        signed_in.goto("/wallet/send")
        fill(signed_in, to, "1")
        signed_in.get_by_role("button", name="Sign and send").click()
        expect(signed_in.get_by_role("dialog").get_by_role("alert").last).to_contain_text(told)


@pytest.mark.usefixtures("outside")
def test_who_declines_sends_nothing(signed_in: Page, served: Served, holder_app: WalletApp) -> None:
    before = balance_of(served, HOLDER.address)
    holder_app.declines = {"eth_signTypedData_v4"}
    signed_in.goto("/wallet/send")
    fill(signed_in, FRIEND.address, "1")
    signed_in.get_by_role("button", name="Sign and send").click()

    expect(signed_in.get_by_text("You declined in your wallet app. Nothing happened.")).to_be_visible()
    assert balance_of(served, HOLDER.address) == before


@pytest.mark.usefixtures("outside")
def test_another_network_and_another_account_sign_nothing(
    signed_in: Page, served: Served, holder_app: WalletApp
) -> None:
    holder_app.chain_id = 1
    signed_in.goto("/wallet/send")
    fill(signed_in, FRIEND.address, "1")
    signed_in.get_by_role("button", name="Sign and send").click()
    expect(signed_in.get_by_text("Your wallet app is set to another network.")).to_be_visible()

    holder_app.knows = {served.stack.chain.rpc.chain_id}
    holder_app.account = FRIEND
    signed_in.get_by_role("button", name="Sign and send").click()
    expect(signed_in.get_by_text("you are signed in as")).to_be_visible()
    assert "eth_signTypedData_v4" not in holder_app.asked

    holder_app.account = HOLDER
    signed_in.get_by_role("button", name="Sign and send").click()
    expect(signed_in.get_by_text("Sent 1.00 PXAI")).to_be_visible()


@pytest.mark.usefixtures("outside")
def test_credits_in_the_wallet_become_spendable(signed_in: Page, served: Served) -> None:
    def spendable() -> Decimal:
        (balance,) = signed_in.request.get("/v1/wallet").json()["balances"]
        return Decimal(balance["spendable_credits"])

    before = spendable()
    signed_in.reload()
    signed_in.get_by_role("button", name="Make spendable").click()
    signed_in.get_by_label("How many PXAI").fill("3")
    signed_in.get_by_role("button", name="Sign and move").click()
    expect(signed_in.get_by_role("status").get_by_text("Moved.")).to_be_visible()
    served.stack.gateway.sync()

    assert spendable() - before == 3


@pytest.mark.usefixtures("outside")
def test_the_test_holder_signs_without_a_wallet_app(page: Page, served: Served) -> None:
    page.goto("/wallet")
    page.get_by_text("Trying this out on your own machine?").click()
    page.get_by_label("Test key").fill(served.stack.gateway.dev_key or "")
    page.get_by_role("button", name="Sign in as the test holder").click()
    expect(page.get_by_role("heading", level=1, name="Home")).to_be_visible()
    page.goto("/wallet/send")
    fill(page, FRIEND.address, "1")
    page.get_by_role("button", name="Sign and send").click()

    expect(page.get_by_text("Sent 1.00 PXAI")).to_be_visible()
