"""A kernel inside the sandbox, and the client that talks to it through unix sockets."""

__all__ = ["Client", "Manager", "make_manager"]

import shutil

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from course_grader import sandbox

MAX_OUTPUT = 1_000_000  # characters for each cell; the rest of a flood is dropped


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


class Manager(AsyncKernelManager):
    """A kernel manager that wraps the kernel's command in the sandbox."""

    wrap = None

    def format_kernel_cmd(self, extra_arguments=None):
        """Return the kernel's command, inside the sandbox where there is one."""
        return self.wrap(super().format_kernel_cmd(extra_arguments))


def make_manager(folder, files, limits):
    """Make a manager whose connection file and sockets lie in one folder."""
    manager = Manager(
        kernel_name="python3",
        transport="ipc",
        ip=str(folder / "k"),
        connection_file=str(folder / "kernel.json"),
        transport_encryption="disabled",
    )
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
