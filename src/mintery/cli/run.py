"""The process's edge: runs a command and turns whatever goes wrong into words and an exit code."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from typer.exceptions import TyperException

from mintery.cli.app import app
from mintery.cli.exits import ExitCode, exit_code
from mintery.cli.hints import hint_for, hint_for_missing, in_plain_words
from mintery.cli.output import is_json, printable, write_json
from mintery.errors import MinteryError, SystemRefused

_log = logging.getLogger(__name__)
_PLAIN = (str, int, float, bool, type(None))


def main() -> None:
    if sys.stdout is None:
        # The caller closed it, as in `mintery … >&-`.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 -- open until the process ends
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The exit code of ``mintery`` with these arguments."""
    try:
        ended = app(arguments, prog_name="mintery", standalone_mode=False)
    except SystemExit as by_library:
        ended = by_library.code
    except (typer.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone, as in `mintery … | head`; nobody is left to tell.
        return _drop_output(ExitCode.OK)
    except Exception as error:  # noqa: BLE001 -- the edge of the process
        return _tell_any(error)
    return ended if isinstance(ended, int) else ExitCode.OK


def run_script(main: Callable[[], None]) -> None:
    """Ends a program of a few lines as a command ends: an error of ours is told in a line, not as a traceback."""
    try:
        main()
    except MinteryError as error:
        sys.exit(_tell(error))
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def _drop_output(code: ExitCode) -> ExitCode:
    """What could not be written stays in a buffer, and Python would try again, aloud, when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _tell_any(error: Exception) -> int:
    try:
        return _tell_one(error)
    except BrokenPipeError:
        return _drop_output(ExitCode.USAGE if isinstance(error, TyperException) else exit_code(error))
    except OSError as unheard:
        print(f"mintery: standard output takes nothing: {unheard.strerror}", file=sys.stderr)
        return _drop_output(ExitCode.CONFIGURATION)


def _tell_one(error: Exception) -> int:
    if isinstance(error, MinteryError):
        return _tell(error)
    if isinstance(error, TyperException):
        return _tell_usage(error)
    # What a fault of ours says may hold a secret, so only --debug shows it.
    _log.debug("fault", exc_info=error)
    if isinstance(error, OSError):
        path = None if error.filename is None else str(error.filename)
        return _tell(SystemRefused(path, (error.strerror or str(error)).lower()))
    return _tell_fault(error)


def _tell_usage(error: TyperException) -> int:
    if is_json():
        words = in_plain_words(error.format_message())
        write_json({"error": {"type": "Usage", "message": words, "exit_code": ExitCode.USAGE}})
    elif words := error.format_message().strip():
        command = getattr(getattr(error, "ctx", None), "command_path", "mintery")
        lines = (in_plain_words(words), hint_for_missing(words), f"`{command} -h` shows how it is used.")
        print("mintery: " + "\n         ".join(filter(None, lines)), file=sys.stderr)
    return ExitCode.USAGE


def _tell(error: MinteryError) -> int:
    code = exit_code(error)
    if is_json():
        write_json({"error": {**_attributes(error), "exit_code": int(code)}})
    else:
        print(printable(f"mintery: {error}"), file=sys.stderr)
        if hint := hint_for(error):
            print(f"         {hint}", file=sys.stderr)
    return code


def _attributes(error: MinteryError) -> dict[str, Any]:
    """The error's typed attributes beside its name and words. Integers that JSON readers would round are strings."""
    named = {name: _json_value(value) for name, value in vars(error).items() if not name.startswith("_")}
    return {"type": type(error).__name__, "message": str(error), "hint": hint_for(error), **named}


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
