"""What `scripts/setup` says to somebody on whose machine it cannot work, and that it works once."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD = "#!/bin/sh\n[ \"$1\" = --version ] && echo 'Python 3.9.2' || exit 1\n"
NO_PACKAGES = """#!/bin/sh
case "$*" in
  --version | -c* | "-m pip --version") echo 'Python 3.11.7' ;;
  *) echo 'ERROR: no route' >&2; exit 1 ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    for name in ("scripts/setup", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def program(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def set_up(clone: Path, *words: str, python: str = "python3") -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHON": python}
    return subprocess.run([clone / "scripts/setup", *words], env=env, capture_output=True, text=True, check=False)


def test_an_old_python_is_named(clone: Path) -> None:
    ended = set_up(clone, python=program(clone / "old", OLD))

    assert ended.returncode == 69
    assert ended.stderr.endswith("is Python 3.9.2. Set PYTHON to one.\n")
    assert not (clone / ".venv").exists()


def test_a_missing_python_is_named(clone: Path) -> None:
    ended = set_up(clone, python="/nowhere/python3")

    assert (ended.returncode, ended.stderr) == (
        69,
        "Mintery needs Python 3.11 or newer; '/nowhere/python3' is missing. Set PYTHON to one.\n",
    )


def test_another_word_is_answered_with_those_there_are(clone: Path) -> None:
    ended = set_up(clone, "all")

    assert ended.returncode == 64
    assert "`scripts/setup dev`" in ended.stderr


def test_without_a_network_it_says_what_is_missing(clone: Path) -> None:
    python = program(clone / ".venv/bin/python", NO_PACKAGES)

    ended = set_up(clone, python=python)

    assert ended.returncode == 69
    assert "ERROR: no route\nThey come from PyPI" in ended.stderr
    assert not list((clone / ".venv").glob(".installed*"))


def test_what_stands_is_left_alone_until_the_lock_or_the_folder_changes(clone: Path) -> None:
    line = 'echo "$(cat requirements.lock pyproject.toml | cksum) $PWD"'
    wanted = subprocess.run(["bash", "-c", line], cwd=clone, capture_output=True, check=True).stdout
    (clone / ".venv").mkdir()
    (clone / ".venv/.installed-requirements.lock").write_bytes(wanted)

    assert (set_up(clone, python="/nowhere").returncode, set_up(clone).stderr) == (0, "")

    moved = clone.rename(clone.parent / "moved")
    assert set_up(moved, python="/nowhere").returncode == 69
