"""The holder's side over HTTP: pages, and what they ask for."""

from fastapi import APIRouter

from mintery.gateway.errors import Problems
from mintery.wallet.pages_router import pages_router


def routers(_problems: Problems) -> tuple[APIRouter, ...]:
    """Everything of the wallet's that the gateway's application answers."""
    return (pages_router(),)
