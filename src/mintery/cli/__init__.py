"""The command line. ``mintery --help`` is the map; every command takes ``--json``.

It ends with the exit codes (``mintery.cli.exits``). Commands live one a file in ``commands`` and import what is heavy when they run.
"""

from mintery.cli.run import main

__all__ = ["main"]
