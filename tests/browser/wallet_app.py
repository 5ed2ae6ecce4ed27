"""A person's wallet app: it signs with eth-account what the person agrees to."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.signers.local import LocalAccount
from playwright.sync_api import BrowserContext, Page

from mintery.crypto.keys import dev_key

SCRIPT = Path(__file__).with_suffix(".js")
DECLINED = {"code": 4001, "message": "User rejected the request."}
UNKNOWN_NETWORK = {"code": 4902, "message": "Unrecognized chain ID."}


def account_of(number: int) -> LocalAccount:
    """A well-known development account."""
    return Account.from_key(dev_key(number).secret_bytes())


@dataclass
class WalletApp:
    """``declines``: methods that the person says no to. ``knows``: networks that the app can switch to. ``send``: signs a
    transaction of the account's and hands it to the network, which answers with its name.
    """

    account: LocalAccount
    chain_id: int
    send: Callable[[LocalAccount, dict[str, Any]], str]
    knows: set[int] = field(default_factory=set)
    declines: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def install(self, context: BrowserContext) -> None:
        """Before the first page of ``context`` opens."""
        context.expose_function("walletAsked", self.answer)
        context.add_init_script(path=SCRIPT)

    def choose(self, page: Page, account: LocalAccount) -> None:
        """The person picks another account, and the app tells the page."""
        self.account = account
        page.evaluate("accounts => window.walletTells('accountsChanged', accounts)", [account.address])

    def answer(self, method: str, parameters: str) -> str:
        self.asked.append(method)
        if method in self.declines:
            return json.dumps({"error": DECLINED})
        return json.dumps(self._answer(method, json.loads(parameters)))

    def _answer(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        answers = {
            "eth_requestAccounts": lambda: [self.account.address],
            "eth_chainId": lambda: hex(self.chain_id),
            "wallet_switchEthereumChain": lambda: self._switch(int(parameters[0]["chainId"], 16)),
            "personal_sign": lambda: self._sign(encode_defunct(hexstr=parameters[0])),
            "eth_sendTransaction": lambda: self._send(parameters[0]),
            "eth_signTypedData_v4": lambda: self._sign(self._checked(json.loads(parameters[1]))),
        }
        if method == "wallet_switchEthereumChain" and int(parameters[0]["chainId"], 16) not in self.knows:
            return {"error": UNKNOWN_NETWORK}
        return {"result": answers[method]()}

    def _switch(self, chain_id: int) -> None:
        self.chain_id = chain_id

    def _send(self, transaction: dict[str, Any]) -> str:
        assert transaction["from"] == self.account.address
        return self.send(self.account, transaction)

    def _checked(self, typed: dict[str, Any]) -> Any:
        """Apps refuse to sign for another network than theirs."""
        assert int(typed["domain"]["chainId"]) == self.chain_id
        return encode_typed_data(full_message=typed)

    def _sign(self, message: Any) -> str:
        return "0x" + self.account.sign_message(message).signature.hex()
