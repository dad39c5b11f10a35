"""The wire between grader and shell: whole messages, or an error that says what came."""

import json
import socket
import threading
import time

import pytest

from course_grader.execution.inside.transport import MAX_BYTES, TooLarge, Wire


@pytest.fixture
def ends():
    """Return a wire and the bare socket at its other end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Wire(ours), theirs


def test_messages_arrive_whole_and_in_order(ends):
    wire, other = ends
    messages = [[b"a", b""], [bytes(300_000)], [], ["\n\U0001f600".encode(), memoryview(b"xy")]]
    sender = Wire(other)
    thread = threading.Thread(target=lambda: [sender.send_multipart(m) for m in messages])
    thread.start()
    assert [wire.receive() for _ in messages] == messages
    thread.join()


def test_a_message_that_is_not_whole_in_time_is_an_error(ends):
    wire, other = ends
    other.sendall(b"[5]\nabc")
    with pytest.raises(TimeoutError):
        wire.receive(time.monotonic() + 0.1)
    other.sendall(b"de")
    assert wire.receive(time.monotonic() + 1) == [b"abcde"]


def test_who_hangs_up_half_way_is_noticed(ends):
    wire, other = ends
    other.sendall(b"[5]\nabc")
    other.close()
    with pytest.raises(EOFError):
        wire.receive()


FORGED = ["x" * 5000, "5\n", "[-1]\n", "[true]\n", '["1"]\n', "{}\n", "[1.5]\n", "\n", "[" * 4000]


@pytest.mark.parametrize("words", FORGED, ids=range(len(FORGED)))
def test_what_is_no_message_is_an_error(words, ends):
    wire, other = ends
    other.sendall(words.encode() + b" " * 200 + b"\n")
    with pytest.raises(ValueError):
        wire.receive(time.monotonic() + 1)


def test_a_large_one_is_refused_before_it_is_read(ends):
    wire, other = ends
    other.sendall(json.dumps([MAX_BYTES, 1]).encode() + b"\n")
    with pytest.raises(TooLarge):
        wire.receive()
