"""What SQLite finds wrong with a journal, in batchgen's words."""

import contextlib
from collections.abc import Iterator

import apsw

from batchgen.errors import Damaged, JournalError


@contextlib.contextmanager
def reading(path: str) -> Iterator[None]:
    """Say what is wrong with a journal in batchgen's words.

    Raises:
        Damaged: SQLite finds the file malformed, or not a database at all.
        JournalError: it cannot be read.
    """
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, apsw.FormatError, UnicodeDecodeError) as error:
        raise Damaged(f"{path} is damaged ({error}); keep it, and put a copy back or ask for help.") from error
    except apsw.Error as error:
        raise JournalError(f"{path} could not be read ({error}); mend that and run again.") from error
