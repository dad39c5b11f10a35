"""A lesson's run ends when its cells have ended, whatever wakes the client, or does not."""

import asyncio
import time
from queue import Empty

import pytest

from course_grader.building.run_notebook import GLANCE, looking_again


class Socket:
    """A channel whose message is there, but which says so only to whoever asks once more."""

    def __init__(self, deaf):
        """Miss the first `deaf` questions."""
        self.deaf, self.asked = deaf, []

    async def get_msg(self, timeout=None):
        self.asked.append(timeout)
        if len(self.asked) <= self.deaf:
            raise Empty
        return "reply"


@pytest.mark.parametrize("timeout", [None, 120])
def test_a_reply_that_was_not_announced_is_found_at_the_next_look(timeout):
    socket = Socket(deaf=3)
    assert asyncio.run(looking_again(socket.get_msg)(timeout=timeout)) == "reply"
    assert socket.asked == pytest.approx([GLANCE] * 4)


def test_without_a_reply_the_time_is_kept():
    socket, begun = Socket(deaf=10**9), time.monotonic()
    with pytest.raises(Empty):
        asyncio.run(looking_again(socket.get_msg)(timeout=0.02))
    assert time.monotonic() - begun >= 0.02
    assert max(socket.asked) <= 0.02
