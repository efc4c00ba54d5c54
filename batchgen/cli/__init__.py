"""The command line: one program, one module per verb, each imported when it is called and not before."""

import gc
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from batchgen import __version__
from batchgen.cli.doors import Desk, Doors
from batchgen.cli.verbs import SECTIONS, UNLISTED, VERBS

_EPILOG = """\b
Examples:
  batchgen init                      write a manifest to begin with
  batchgen plan batchgen.yaml        what would be bought, and why
  batchgen run batchgen.yaml         buy it; the same command again goes on

\b
Exit codes: 0 all there, 1 some failed for good, 2 mend the command or the
manifest, 3 payments in doubt, 4 a person must act, 5 journal not usable,
70 a mistake in batchgen, 75 run again later, 130 and 143 interrupted.
"""

_GARBAGE = 20_000, 20, 20
"""Importing makes many objects and little garbage; to look for some every 700 would take a tenth of a short command."""


class Program(click.Group):
    """The verbs. Listing them imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The verbs that help lists, in its order."""
        return [name for names in SECTIONS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one verb."""
        if cmd_name not in VERBS and cmd_name not in UNLISTED:
            return None
        command = import_module(f"batchgen.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that is meant; of one that is misspelled say which is near."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as unknown:
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, 1)
            raise click.UsageError(f"{unknown.message}{f' Did you mean {near[0]!r}?' if near else ''}", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs by how often they are used."""
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, VERBS[name]) for name in names])

    def main(self, args: Sequence[str] | None = None, *given: Any, **extra: Any) -> NoReturn:
        """Run one command and leave with its exit code; every ending but a good one says its last lines."""
        words = tuple(sys.argv[1:] if args is None else args)
        desk = Desk(extra.pop("obj", None) or Doors(), words)
        settings = {**extra, "prog_name": "batchgen", "standalone_mode": False, "obj": desk}
        try:
            code = super().main(list(words), *given, **settings)
        except BaseException as broken:  # the roof: nothing passes it untold
            from batchgen.cli.roof import told

            code = told(broken, words)
        sys.exit(int(code or 0))


@click.command(cls=Program, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="batchgen")
def program() -> None:
    """Pictures by the batch, from a manifest: nothing lost, nothing paid twice.

    Every verb takes --help and shows an example there.
    """


def main() -> NoReturn:
    """The entry point of the console script; told to end, it still says its last lines."""
    gc.set_threshold(*_GARBAGE)
    _take_standard_places()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # one that is ignored, as under nohup, stays so
            signal.signal(number, _end)
    program.main()


def _take_standard_places() -> None:
    """Let no file or socket of ours get the number of a standard stream that was closed before we began."""
    while (place := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(place)


def _end(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(143)
