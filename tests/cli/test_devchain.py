from pathlib import Path

import pytest

from mintery.chain.devchain.anvil import find_anvil
from mintery.cli.commands.devchain import _packaged


def test_the_anvil_that_npm_installed_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = tmp_path / "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
    packaged.parent.mkdir(parents=True)
    packaged.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")

    assert find_anvil(roots=_packaged()).resolve() == packaged
