"""What is not there yet answers so, in one voice."""

from collections.abc import Callable
from typing import Any, NoReturn

import click

from batchgen.cli.verbs import LATER_OPTIONS


def not_yet(verb: str) -> click.Command:
    """A verb of a later release: takes anything, does nothing, says so."""

    def refuse() -> NoReturn:
        raise click.UsageError(f"`batchgen {verb}` is not yet there; `batchgen --help` lists what is")

    takes_all = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    return click.Command(verb, callback=refuse, context_settings=takes_all, hidden=True)


def later_options(verb: str) -> Callable[[click.Command], click.Command]:
    """Give a verb the options of later releases, hidden and refused."""

    def add(command: click.Command) -> click.Command:
        command.params.extend(
            click.Option([name], hidden=True, expose_value=False, callback=_refuse) for name in LATER_OPTIONS[verb]
        )
        return command

    return add


def _refuse(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ARG001  # click's signature
    if value is not None:
        raise click.UsageError(f"{param.opts[0]} is not yet there; leave it out, or wait for a later release")
