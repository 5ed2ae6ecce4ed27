"""The pages' files as they are served: small, our own, and nothing inline."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from mintery.wallet.page_files import page_files
from mintery.wallet.pages_router import POLICY, pages_router, shell

MOST_BYTES = 200_000
ELSEWHERE = re.compile(rb"https?://(?!www\.w3\.org/2000/svg)")
INLINE = re.compile(rb"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(pages_router())
    with TestClient(app) as opened:
        yield opened


def test_all_of_them_together_are_small() -> None:
    assert 0 < sum(len(file.content) for file in page_files().values()) < MOST_BYTES


@pytest.mark.parametrize("name", page_files())
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(name: str) -> None:
    content = page_files()[name].content

    assert not ELSEWHERE.search(content)
    if not name.endswith(".js"):
        assert not INLINE.search(content)


def test_scripts_write_text_and_no_markup() -> None:
    for name, file in page_files().items():
        assert not re.search(
            rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", file.content
        ), name


def test_every_file_that_another_names_is_there() -> None:
    named = re.compile(rb'(?:from|file:|import\() ?"\./([\w.]+)"|/wallet/files/([\w.]+)"')
    for name, file in page_files().items():
        for found in named.finditer(file.content):
            assert (found[1] or found[2]).decode() in page_files(), name


def test_a_file_is_sent_once_and_then_only_asked_about(client: TestClient) -> None:
    first = client.get("/wallet/files/style.css")
    again = client.get("/wallet/files/style.css", headers={"If-None-Match": first.headers["etag"]})

    assert first.status_code == 200
    assert first.headers["content-security-policy"] == POLICY
    assert first.headers["x-content-type-options"] == "nosniff"
    assert again.status_code == 304
    assert again.content == b""


@pytest.mark.parametrize("name", ["missing.js", "..%2f__init__.py", "__init__.py", "%2e%2e/page_files.py"])
def test_nothing_else_of_the_disk_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/wallet/files/{name}").status_code == 404


def test_the_policy_allows_nothing_inline() -> None:
    assert "unsafe" not in POLICY


def test_test_money_is_said_where_it_is_test_money() -> None:
    assert b"TEST MONEY" in shell(test=True).content
    assert b"TEST MONEY" not in shell(test=False).content
