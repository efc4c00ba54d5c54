"""The options of `plan` and `run` that say which jobs are meant, what is done again, and what it may cost."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from batchgen.cli.console import Console
from batchgen.cli.options import Span, Where

if TYPE_CHECKING:
    from batchgen.batch import RunOptions


class Dollars(click.ParamType[int]):
    """A sum in dollars such as 20 or 4.50, in micro-USD."""

    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it; no sum is below zero, or finer than a micro-dollar."""
        from decimal import Decimal, InvalidOperation

        try:
            amount = Decimal(str(value).removeprefix("$")) * 1_000_000
        except InvalidOperation:
            self.fail(f"{value!r} is no sum in dollars; write it as 20 or 4.50", param, ctx)
        if not amount.is_finite() or amount < 0 or amount > 10**15 or amount != int(amount):
            self.fail(f"{value!r} is no sum in dollars; write it as 20 or 4.50", param, ctx)
        return int(amount)


def wish_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--redo, --only, --sample, --rows, --root, --max-usd, --deadline."""
    once: dict[str, Any] = {"allow_from_autoenv": False}
    for add in (
        click.option("--deadline", type=Span(), metavar="4h", help="Stop buying and end after so long."),
        click.option("--max-usd", type=Dollars(), metavar="N", help="Spend at most so many dollars in this run."),
        click.option("--root", metavar="DIR", help="Where references and prompt files start."),
        click.option("--rows", metavar="FILE", help="Another table in place of the manifest's.", **once),
        click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Work on N of the jobs.", **once),
        click.option("--only", metavar="EXPR", help="Work on these jobs: a condition, or a glob over ids.", **once),
        click.option(
            "--redo",
            metavar="WHAT",
            multiple=True,
            help="Do again: changed, failed, a class of failure, in_doubt, a glob over ids, a picks file.",
            **once,
        ),
    ):
        command = add(command)
    return command


def options(ctx: click.Context, named: Where, speaker: Console) -> "RunOptions":
    """What `run` and `plan` are asked for."""
    from batchgen.batch import RunOptions

    given = ctx.params
    return RunOptions(
        manifest=named.source,
        outputs=named.outputs,
        journal=named.journal,
        provider=named.provider,
        store=named.store,
        grace_seconds=given.get("grace", 0.0),
        max_pictures=given.get("max_pictures"),
        max_micro_usd=given.get("max_usd"),
        deadline_seconds=given.get("deadline"),
        redo=tuple(given.get("redo") or ()),
        only=given.get("only"),
        sample=given.get("sample"),
        rows=given.get("rows"),
        root=given.get("root"),
        dask=given.get("dask"),
        plan=given.get("plan"),
        on_paper=given.get("paper") is not None,
        offline=given.get("offline", False),
        unattended=not speaker.attended,
        confirm=speaker.ask,
        signals=True,
    )


def typed_again(ctx: click.Context) -> tuple[str, ...]:
    """The wishes as words of another command."""
    words: list[str] = []
    for name in ("redo", "only", "sample", "rows", "root"):
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            value = ctx.params[name]
            for each in value if isinstance(value, tuple) else (value,):
                words += [f"--{name}", str(each)]
    return tuple(words)
