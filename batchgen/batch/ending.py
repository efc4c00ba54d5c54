"""How a run is ended from outside: by a signal, by its deadline, by whoever called it."""

import signal
import threading

import anyio

from batchgen.halt import Halt, Shelter

LAST_WORDS_SECONDS = 3
"""How much of the grace is kept for the end of the run itself."""

ENDS = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "told to end"), signal.SIGHUP: (143, "hung up on")}


async def listen(halt: Halt, shelter: Shelter, grace_seconds: float) -> None:
    """Hear signals: the first ends the run within the grace, a second at once; what is open is journaled either way."""
    if threading.current_thread() is not threading.main_thread():
        return  # signals come to the main thread alone; whoever runs a batch elsewhere ends it by cancelling
    left = max(grace_seconds - LAST_WORDS_SECONDS, grace_seconds / 2)
    heard = [number for number in ENDS if signal.getsignal(number) is not signal.SIG_IGN]  # as nohup leaves them
    with anyio.open_signal_receiver(*heard) as signals:
        async for number in signals:
            code, reason = ENDS[number]
            shelter.expire(anyio.current_time() + left)
            halt.stop_asking(code, reason)
            left = 0


async def end_in_time(halt: Halt, shelter: Shelter, seconds: float | None, grace_seconds: float) -> None:
    """End the run at its deadline, as a signal would, but with 75."""
    if seconds is not None:
        await anyio.sleep(seconds)
        shelter.expire(anyio.current_time() + grace_seconds)
        halt.stop_asking(75, "the deadline of this run is reached")


async def end_when_cancelled(shelter: Shelter, grace_seconds: float) -> None:
    """When the caller cancels the run, what is open has as long as after a signal, and no longer."""
    try:
        await anyio.sleep_forever()
    finally:
        shelter.expire(anyio.current_time() + grace_seconds)
