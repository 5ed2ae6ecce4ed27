"""The process's edge: runs a command and turns whatever goes wrong into words and an exit code."""

import logging
import sys
from typing import Any

import typer
from typer.exceptions import TyperException

from mintery.cli.app import app
from mintery.cli.exits import ExitCode, exit_code
from mintery.cli.output import is_json, write_json
from mintery.errors import MinteryError

_log = logging.getLogger(__name__)
_PLAIN = (str, int, float, bool, type(None))


def main() -> None:
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The exit code of ``mintery`` with these arguments."""
    try:
        ended = app(arguments, prog_name="mintery", standalone_mode=not is_json())
    except SystemExit as by_typer:
        ended = by_typer.code
    except MinteryError as error:
        return _tell(error)
    except TyperException as error:
        write_json({"error": {"type": "Usage", "message": error.format_message(), "exit_code": ExitCode.USAGE}})
        return ExitCode.USAGE
    except (typer.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone, as in `mintery … | head`; nobody is left to tell.
        sys.stderr.close()
        return ExitCode.OK
    except Exception as error:  # noqa: BLE001 -- the edge of the process
        # The edge of the process: a fault of ours. What it says may hold a secret, so only --debug shows it.
        _log.debug("fault", exc_info=True)
        return _tell_fault(error)
    return ended if isinstance(ended, int) else ExitCode.OK


def _tell(error: MinteryError) -> int:
    code = exit_code(error)
    if is_json():
        write_json({"error": {**_attributes(error), "exit_code": int(code)}})
    else:
        print(f"mintery: {error}", file=sys.stderr)
        if error.hint:
            print(f"         {error.hint}", file=sys.stderr)
    return code


def _attributes(error: MinteryError) -> dict[str, Any]:
    """The error's typed attributes beside its name and words. Integers that JSON readers would round are strings."""
    named = {name: _json_value(value) for name, value in vars(error).items() if not name.startswith("_")}
    return {"type": type(error).__name__, "message": str(error), "hint": error.hint, **named}


def _json_value(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, dict):
        return {str(name): _json_value(entry) for name, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_json_value(entry) for entry in value]
    return str(value)


def _tell_fault(error: Exception) -> int:
    words = f"an unexpected {type(error).__name__}; `mintery --debug …` shows where"
    if is_json():
        write_json({"error": {"type": "Fault", "message": words, "exit_code": int(ExitCode.INTERNAL)}})
    else:
        print(f"mintery: {words}", file=sys.stderr)
    return ExitCode.INTERNAL
