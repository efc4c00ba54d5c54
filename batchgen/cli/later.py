"""Options that are not there yet answer so, in one voice."""

from collections.abc import Callable
from typing import Any

import click

from batchgen.cli.verbs import LATER_OPTIONS


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
