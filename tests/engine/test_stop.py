import os
import signal
import threading

import pytest

from repro.engine.stop import Interrupted, StopRequest


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGUSR1, 138), (signal.SIGUSR2, 140)]
)
def test_a_signal_only_sets_a_flag_that_is_asked_for(number, code):
    with StopRequest() as stop:
        stop.check("before anything")
        assert not stop.requested()
        os.kill(os.getpid(), number)
        assert stop.requested()
        with pytest.raises(Interrupted) as caught:
            stop.check("at step 3")
    assert str(caught.value) == f"stopped by {number.name} at step 3; the same command goes on from there"
    assert caught.value.exit_code == code
    assert caught.value.is_notice == (number in (signal.SIGUSR1, signal.SIGUSR2))


@pytest.mark.parametrize("order", [(signal.SIGTERM, signal.SIGUSR2), (signal.SIGUSR2, signal.SIGTERM)])
def test_a_notice_counts_for_more_than_the_end_that_comes_with_it(order):
    with StopRequest() as stop:
        for number in order:
            os.kill(os.getpid(), number)
        assert stop.signal == signal.SIGUSR2


def test_a_second_interrupt_ends_at_once():
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_the_handlers_of_before_are_put_back():
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
    before = [signal.getsignal(number) for number in numbers]
    with StopRequest():
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in numbers] == before


def test_beside_the_main_thread_signals_are_left_alone():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with StopRequest() as stop:
            seen.extend([signal.getsignal(signal.SIGTERM), stop.requested()])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before, False]
