"""The wallet's pages: one shell for all of them, and the files it asks for. Nothing is inline and nothing comes from elsewhere."""

from functools import cache

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from mintery.gateway.entry import till_of
from mintery.wallet.page_files import PageFile, page_file, page_files

SHELL, BANNER = "shell.html", "test_banner.html"
BANNER_PLACE = b"<!--test-->"
PAGES = (
    "/wallet",
    "/wallet/top-up",
    "/wallet/keys",
    "/wallet/activity",
    "/wallet/statement",
    "/wallet/memberships",
    "/wallet/send",
    "/wallet/take-out",
    "/wallet/permissions",
    "/wallet/review",
    "/reserve",
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No script, style or picture but ours, no frame around us, and no form that leads elsewhere."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cache-Control": "no-cache",
}
"""``no-cache``: kept by browsers, and asked about each time, so that a new version is whole at once."""


def pages_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    def get_page(request: Request) -> Response:
        public = till_of(request).parts.public
        return _answer(request, shell(test=public is not None and public.is_test))

    for path in PAGES:
        router.add_api_route(path, get_page, methods=["GET", "HEAD"])

    @router.api_route("/", methods=["GET", "HEAD"])
    def get_root() -> Response:
        return RedirectResponse(PAGES[0], 307)

    @router.api_route("/wallet/files/{name}", methods=["GET", "HEAD"])
    def get_file(request: Request, name: str) -> Response:
        file = page_files().get(name)
        if file is None:
            raise HTTPException(404)
        return _answer(request, file)

    return router


@cache
def shell(*, test: bool) -> PageFile:
    """Where the money is play money every page says so before any script has run."""
    files = page_files()
    return page_file(files[SHELL].content.replace(BANNER_PLACE, files[BANNER].content if test else b""), "html")


def _answer(request: Request, file: PageFile) -> Response:
    headers = {**HEADERS, "ETag": file.etag}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.content_type)
