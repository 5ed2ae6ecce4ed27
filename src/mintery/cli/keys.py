"""Whose key signs: a dev account, a keystore file, or the name of an environment variable."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mintery.errors import DevKeyOnRealChain, MalformedFile, UnknownAccountKey

if TYPE_CHECKING:
    from mintery.crypto.keys import PrivateKey

DEV_PREFIX = "dev:"


def read_key(text: str, *, local: bool) -> "PrivateKey":
    """The key that ``text`` stands for. ``local``: the chain is a dev chain, where everyone knows the dev keys.

    Raises:
        UnknownAccountKey: no such dev account, file or variable.
        DevKeyOnRealChain: a dev key would sign where money is real.
        MalformedInput: a wrong password, or a text that is no private key.
    """
    from mintery.crypto.keys import PrivateKey
    from mintery.settings import read_secret

    if text.startswith(DEV_PREFIX):
        if not local:
            raise DevKeyOnRealChain(text)
        return _dev_key(text)
    if (path := Path(text)).is_file():
        return _from_keystore(path)
    if (secret := read_secret(text)) is not None:
        return PrivateKey.from_hex(secret)
    raise UnknownAccountKey(text)


def _dev_key(text: str) -> "PrivateKey":
    from mintery.bootstrap import DEV_ROLES
    from mintery.crypto.keys import dev_key

    name = text.removeprefix(DEV_PREFIX)
    index = DEV_ROLES.get(name) if not name.isdecimal() else int(name)
    if index is None or index not in range(10):
        raise UnknownAccountKey(text)
    return dev_key(index)


def _from_keystore(path: Path) -> "PrivateKey":
    import typer

    from mintery.crypto.keys import decrypt_keystore

    try:
        keystore = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError):
        raise MalformedFile(str(path), "it is no keystore (JSON, version 3)") from None
    return decrypt_keystore(keystore, typer.prompt(f"Password of {path}", hide_input=True, err=True))
