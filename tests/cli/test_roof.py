"""The roof: how what goes wrong below becomes an exit code."""

from contextlib import closing

import pytest

from batchgen.cli.roof import told


class Interrupting:
    """A signal that comes while a class is being made with this in it."""

    def __init__(self, signal: BaseException) -> None:
        self.signal = signal

    def __set_name__(self, owner: type, name: str) -> None:
        raise self.signal


class Running:
    """A loop that believes that it runs."""

    def close(self) -> None:
        raise RuntimeError("Cannot close a running event loop")


@pytest.mark.parametrize(("signal", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_a_signal_while_a_class_is_made(signal: BaseException, code: int) -> None:
    """A signal in the middle of an import ends the program as any other, whatever Python wraps it in."""
    with pytest.raises((type(signal), RuntimeError)) as caught:
        type("Made", (), {"within": Interrupting(signal)})
    assert told(caught.value, ["run"]) == code


@pytest.mark.parametrize(("signal", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_a_signal_when_a_loop_was_just_entered(signal: BaseException, code: int) -> None:
    """A signal that leaves a loop which then cannot be closed ends the program as any other."""
    with pytest.raises(RuntimeError) as caught, closing(Running()):
        raise signal
    assert told(caught.value, ["run"]) == code


def test_a_mistake_of_ours_stays_one() -> None:
    """An error that came of another error is a mistake of batchgen."""
    broken = RuntimeError()
    broken.__cause__ = broken.__context__ = ValueError()
    assert told(broken, ["run"]) == 70
