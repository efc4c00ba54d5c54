"""`batchgen serve`: the provider, played on this machine, for nothing."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batchgen.cli.console import Console
from batchgen.cli.options import SETTINGS, console, voice_options
from batchgen.cli.verbs import VERBS
from batchgen.errors import SettingsError

if TYPE_CHECKING:
    from batchgen.gateway.config import Limits
    from batchgen.gateway.serve import Ready

_EPILOG = """\b
Examples:
  batchgen serve
  batchgen serve --port 0 --state /tmp/gateway --json
  batchgen serve --api-key env:GATEWAY_KEY --mode legacy
  batchgen serve --balance 5 --rate 20/10s --running 100
  batchgen serve --config accounts.yaml --asset-port 8788
  batchgen serve --faults storm
"""


@click.command("serve", short_help=VERBS["serve"], epilog=_EPILOG, context_settings=SETTINGS)
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0: any free one.")
@click.option("--mode", type=click.Choice(["task", "legacy"]), default="task", show_default=True, help="Its manner.")
@click.option("--api-key", metavar="env:NAME|file:PATH", help="Where its key is; without, it makes and keeps one.")
@click.option(
    "--idempotency",
    type=click.Choice(["replay", "none", "reject"]),
    default="replay",
    show_default=True,
    help="What it does with a key that it has seen.",
)
@click.option("--faults", metavar="storm|FILE", help="What goes wrong on purpose.")
@click.option("--painter", metavar="builtin|none|module:attribute", default="builtin", help="Who paints.")
@click.option("--state", metavar="DIR", help="Where it keeps its state; without, .gateway/ in the outputs folder.")
@click.option("--config", metavar="FILE", help="Accounts, limits and lifetimes; read again when it changes.")
@click.option("--balance", metavar="USD", help="What its key may spend; without, no end of money.")
@click.option("--rate", metavar="N/TIME", help="New tasks in a stretch of time, such as 20/10s.")
@click.option("--running", type=click.IntRange(1), metavar="N", help="How many tasks may run at once.")
@click.option("--asset-port", type=click.IntRange(0, 65535), help="Hand out pictures at a port of their own.")
@click.option("--fetch-references", is_flag=True, help="Fetch reference addresses, from the public network only.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where it listens.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="A name that it answers to; may be repeated.")
@click.option("--expose", is_flag=True, help="Allow a --host that others can reach.")
@voice_options
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> int:
    """Play the image API on a loopback address until Ctrl-C. What it paints costs nothing."""
    from batchgen.gateway.options import Settings
    from batchgen.gateway.serve import ServeOptions
    from batchgen.guard import PUBLIC

    speaker = console(ctx)
    options = ServeOptions(
        given["state"] or os.path.join(outputs(os.getcwd()), ".gateway"),
        host=given["host"],
        port=given["port"],
        asset_port=given["asset_port"],
        credential=_credential(given["api_key"]),
        config=given["config"],
        limits=_limits({"balance_usd": given["balance"], "rate": given["rate"], "running": given["running"]}),
        environment=os.environ,
        settings=Settings(
            mode=given["mode"],
            idempotency=given["idempotency"],
            hosts=frozenset(name.lower() for name in given["allow_host"]),
            fetch=PUBLIC if given["fetch_references"] else None,
        ),
        exposed=given["expose"],
        faults=given["faults"],
        painter=given["painter"],
    )
    ctx.obj.doors.serve(options, lambda ready: _ready(speaker, ready, own=given["api_key"] is not None))
    return 0


def outputs(start: str) -> str:
    """The outputs folder of a working directory: that of the nearest folder upwards that has one."""
    folder = start
    while True:
        if os.path.isdir(found := os.path.join(folder, "outputs")):
            return found
        parent = os.path.dirname(folder)
        if parent == folder:
            return os.path.join(start, "outputs")
        folder = parent


def _limits(given: dict[str, Any]) -> "Limits":
    """What its own key may do, of the options that were typed."""
    from pydantic import ValidationError

    from batchgen.gateway.config import Limits

    try:
        return Limits.model_validate({name: each for name, each in given.items() if each is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = str(first["loc"][0]).removesuffix("_usd")
        raise click.UsageError(f"--{option}: {first['msg'].removeprefix('Value error, ')}") from None


def _credential(source: str | None) -> str | None:
    """The key that env:NAME or file:PATH names; a key itself is refused, and not repeated."""
    if source is None:
        return None
    kind, _, place = source.partition(":")
    if kind not in {"env", "file"} or not place:
        raise click.UsageError("--api-key takes env:NAME or file:PATH, never a key itself")
    try:
        key = os.environ.get(place, "") if kind == "env" else Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"--api-key: the file {place} could not be read; check that it is there") from None
    if not key.strip():
        raise SettingsError(f"--api-key: {source} is empty; put the key there")
    return key.strip()


def _ready(speaker: Console, ready: "Ready", *, own: bool) -> None:
    """Say where it listens; a key that it made itself is told here, one that was handed in never."""
    if speaker.voice.json:
        speaker.data({"url": ready.url, "state": str(ready.state_dir)})
    speaker.say(f"listening on {ready.url}; its state is in {ready.state_dir}")
    if ready.credential is not None and not own:
        speaker.say(f"its key is {ready.credential}")
    speaker.say(f"what it answers stands at {ready.url}/docs")
