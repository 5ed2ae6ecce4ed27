"""What Mintery is compared with: FastAPI and aiohttp that relay and do nothing else, as well as they can.

``python -m tests.bench.passthrough UPSTREAM``. One shared session, connections kept, pieces relayed as they arrive.
"""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response, StreamingResponse
from tests.bench.standing import say, when_left_alone

_BACKLOG = 2_048


def create_app(upstream: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
            app.state.session = session
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    url = f"{upstream}/chat/completions"

    @app.post("/v1/chat/completions", response_class=Response)
    async def post_chat_completion(request: Request) -> Response:
        session: aiohttp.ClientSession = app.state.session
        body = await request.body()
        answer = await session.post(url, data=body, headers={"Content-Type": "application/json"})
        if answer.content_type == "text/event-stream":
            return StreamingResponse(_pieces(answer), answer.status, media_type="text/event-stream")
        async with answer:
            return Response(await answer.read(), answer.status, media_type="application/json")

    return app


async def _pieces(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with answer:
        async for piece in answer.content.iter_any():
            yield piece


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    config = uvicorn.Config(create_app(sys.argv[1]), access_log=False, log_level="warning")
    server = uvicorn.Server(config)
    when_left_alone(lambda: setattr(server, "should_exit", True))
    say({"url": f"http://127.0.0.1:{listener.getsockname()[1]}/v1"})
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
