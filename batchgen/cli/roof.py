"""What goes wrong below ends here: an exit code, and last lines that say what to do."""

from collections.abc import Iterator, Sequence

import click

from batchgen.cli.console import Console, Voice
from batchgen.cli.log import frames
from batchgen.errors import WORST_FIRST, BatchgenError
from batchgen.report.closing import Ended, closing
from batchgen.report.plain import redact


def told(broken: BaseException, words: Sequence[str]) -> int:
    """Say the last lines of an error, and return its exit code."""
    console = Console(Voice())
    worst = min(_leaves(broken), key=_rank)
    code, reason = exit_code(worst), _reason(worst)
    if code == 70:
        console.complain("\n".join(frames(worst)))
    elif "\n" in reason or len(reason) > 150:
        console.complain(redact(reason))
    ended = Ended(code, reason, again=_again(worst, words))
    return console.close(closing(ended), code)


def exit_code(broken: BaseException) -> int:
    """The exit code of an error."""
    match broken:
        case BatchgenError():
            return broken.exit_code
        case click.Abort() | KeyboardInterrupt():
            return 130
        case click.ClickException():
            return 2
        case SystemExit(code=int(code)):
            return code
        case _:
            return 70


def _reason(broken: BaseException) -> str:
    match broken:
        case BatchgenError():
            return str(broken)
        case click.exceptions.NoArgsIsHelpError():
            return "name what to do: `batchgen --help` lists the verbs"
        case click.ClickException():
            return broken.format_message()
        case click.Abort() | KeyboardInterrupt() | SystemExit():
            return ""
        case _:
            return f"{type(broken).__name__}, not foreseen"  # its message may hold anything


def _again(broken: BaseException, words: Sequence[str]) -> tuple[str, ...]:
    """What to type next: the same, or help when the command itself was wrong."""
    if not isinstance(broken, click.UsageError):
        return tuple(words)
    inner = broken.ctx.info_name if broken.ctx is not None and broken.ctx.parent is not None else None
    return ("--help",) if inner is None or broken.ctx is None or not broken.ctx.help_option_names else (inner, "--help")


def _leaves(broken: BaseException) -> Iterator[BaseException]:
    match broken:
        case BaseExceptionGroup():
            for each in broken.exceptions:
                yield from _leaves(each)
        case RuntimeError(__context__=KeyboardInterrupt() | SystemExit() as signal):
            # It came while Python made a class (up to 3.11), or when an event loop had just been entered.
            yield signal
        case _:
            yield broken


def _rank(broken: BaseException) -> int:
    code = exit_code(broken)
    return WORST_FIRST.index(code if code in WORST_FIRST else 70)
