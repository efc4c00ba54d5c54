"""HTTP/1.1 behind httpx's seam: small, quick, and exact about how far a request got.

It follows no redirect, keeps no cookie, knows no proxy, decompresses nothing and sends nothing twice but a GET or HEAD
whose kept connection turned out to be dead before a byte of the answer.
"""

from batchgen.api.http1.pool import Limits
from batchgen.api.http1.transport import Http1Transport

__all__ = ["Http1Transport", "Limits"]
