"""A kernel inside the sandbox, and the client that talks to it through unix sockets."""

__all__ = ["Client", "Manager", "make_manager"]

import queue
import shutil

import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from course_grader import sandbox
from course_grader.provisioner import Provisioner

MAX_OUTPUT = 1_000_000  # characters for each cell; the rest of a flood is dropped
MAX_MESSAGE = 64 << 20  # bytes; a kernel that sends a larger one is cut off
WELCOME_SECONDS = 5


class Client(NotebookClient):
    """nbclient's client, deaf to floods of output."""

    started = False

    def output(self, outs, msg, display_id, cell_index):
        """Keep an output unless the cell has said enough."""
        self.heard = getattr(self, "heard", {})
        size = self.heard.get(cell_index, 0) + len(str(msg["content"]))
        if size <= MAX_OUTPUT:
            self.heard[cell_index] = size
            return super().output(outs, msg, display_id, cell_index)
        return None


class Channels(AsyncKernelClient):
    """The kernel's channels, which know when they are ready without waiting a fixed time."""

    def _context_default(self):
        context = super()._context_default()
        context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)  # for every channel
        return context

    async def wait_for_ready(self, timeout=None):
        """Wait for the welcome that a kernel sends once its outputs are subscribed to."""
        try:
            await self.iopub_channel.get_msg(timeout=WELCOME_SECONDS)
        except queue.Empty:  # an older ipykernel sends none
            await self._async_wait_for_ready(timeout)


class Manager(AsyncKernelManager):
    """A kernel manager that wraps the kernel's command in the sandbox."""

    wrap = None
    client_factory = Channels

    def format_kernel_cmd(self, extra_arguments=None):
        """Return the kernel's command, inside the sandbox where there is one."""
        return self.wrap(super().format_kernel_cmd(extra_arguments))


def make_manager(folder, files, limits, zygote=None):
    """Make a manager whose connection file and sockets lie in one folder.

    With a zygote (its folder, in which `folder` lies) the kernel is forked from it.
    """
    manager = Manager(
        kernel_name="python3",
        transport="ipc",
        ip=str(folder / "k"),
        connection_file=str(folder / "kernel.json"),
        transport_encryption="disabled",
    )
    if zygote:
        provisioner = Provisioner(parent=manager, kernel_spec=manager.kernel_spec)
        manager.provisioner = provisioner.prepare(zygote, folder, limits)
        return manager
    bounds = {"memory_gib": limits["memory_gib"], "cpu_seconds": limits["submission_seconds"]}
    if sandbox.available():
        manager.wrap = lambda inner: sandbox.command(inner, sockets=folder, files=files, **bounds)
    else:
        for name, path in files.items():
            shutil.copy(path, folder / name)
        variables = [f"{key}={value}" for key, value in sandbox.environment().items()]
        prefix = sandbox.limits_prefix(*bounds.values())
        manager.wrap = lambda inner: ["env", *variables, *prefix, *inner]
    return manager
