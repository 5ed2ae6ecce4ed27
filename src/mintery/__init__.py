"""Mintery: the mint, the wallet and the toll gate for AI credits."""

__version__ = "0.1.0"
