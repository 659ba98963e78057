"""The command line. Exit status: 0 done, 2 the input is wrong (one line on stderr says how), 1 our fault."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from glasshouse.cli import streams
from glasshouse.cli.commands import app
from glasshouse.schema.errors import GlasshouseError

__all__ = ["app", "main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits with its status."""
    sys.exit(_status(arguments))


def _status(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = typer.main.get_command(app)
    try:
        if given and given[0] != "serve":       # a server says nothing that anybody has to read
            streams.check()
        # Not main(): it would end the process by its own rules before ours are heard.
        with command.make_context("glasshouse", given) as context:
            command.invoke(context)
        return 0
    except typer.Exit as ending:
        return ending.exit_code
    except GlasshouseError as error:
        return _refused(str(error))
    except BrokenPipeError:  # the reader had enough, as in `glasshouse list | head`
        streams.hush(1)
        return 0
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        # Typer's own errors have no public base in every version that we support; this is how they are told.
        if callable(tell := getattr(error, "format_message", None)):
            return _refused(f"{tell()} (glasshouse --help tells more)")
        raise


def _refused(message: str) -> int:
    streams.note("glasshouse: " + " ".join(message.split()))
    return 2
