"""Routes that are made once in a process, however many gateways it holds."""

from collections.abc import Callable
from functools import cache

from fastapi import APIRouter

from mintery.gateway.errors import Problems


@cache
def shared(router_of: Callable[[Problems], APIRouter], problems: Problems) -> APIRouter:
    """A router that keeps nothing between two calls, and whose routes find their gateway in the app's state. FastAPI takes half a
    millisecond to make a route.
    """
    return router_of(problems)
