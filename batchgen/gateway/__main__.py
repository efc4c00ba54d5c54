"""`python -m batchgen.gateway --state DIR`: serves, and says where in one line of JSON on standard output."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from batchgen.errors import BatchgenError

if TYPE_CHECKING:
    from batchgen.gateway.serve import Ready


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped; the exit code."""
    import anyio  # noqa: PLC0415 - a paint worker reads this module too and must not load the server

    from batchgen.gateway.options import Settings  # noqa: PLC0415
    from batchgen.gateway.serve import ServeOptions, serve  # noqa: PLC0415

    chosen = _parsed(arguments)
    settings = Settings(mode=chosen.mode, idempotency=chosen.idempotency, pace=chosen.pace)
    options = ServeOptions(
        chosen.state,
        port=chosen.port,
        settings=settings,
        parent_pipe=chosen.parent_pipe,
        faults=chosen.faults,
        painter=chosen.painter,
    )
    try:
        anyio.run(serve, options, _say)
    except BatchgenError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m batchgen.gateway", description=__doc__)
    parser.add_argument("--state", required=True, metavar="DIR", help="the folder of tasks, pictures and credential")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--mode", choices=("task", "legacy"), default="task")
    parser.add_argument("--idempotency", choices=("replay", "none", "reject"), default="replay")
    parser.add_argument("--pace", type=float, default=1.0, help="scales how long tasks take; 0 is at once")
    parser.add_argument("--faults", metavar="storm|FILE", help="what goes wrong on purpose")
    parser.add_argument("--painter", default="builtin", metavar="none|module:attribute", help="who paints")
    parser.add_argument("--parent-pipe", action="store_true", help="end when standard input ends")
    return parser.parse_args(arguments)


def _say(ready: "Ready") -> None:
    sys.stdout.write(json.dumps({"url": ready.url, "credential_file": ready.credential_file}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
