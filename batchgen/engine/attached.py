"""Loaded by the workers of a cluster that a run made for itself: what ends the run is for the run alone.

A Ctrl-C reaches every process of a terminal, a service's end every process of the service; the run hears it, finishes
what is paid for, and ends its workers itself. They are gone with it however it dies, as their nanny is in it.
"""

import signal

from distributed import Worker


def dask_setup(_: Worker) -> None:
    """Called by Dask in the main thread of each worker."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
