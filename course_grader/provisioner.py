"""Jupyter's view of a kernel that the zygote forks: start it, watch it, end it."""

__all__ = ["Provisioner"]

import contextlib
import json
import socket
from pathlib import Path

from jupyter_client.provisioning import KernelProvisionerBase

from course_grader.course import CourseError
from course_grader.zygote import KERNEL_SOCKETS, give_away

GIB = 1 << 30
START_SECONDS = 60


class Provisioner(KernelProvisionerBase):
    """One kernel: it lives as long as the connection to the zygote."""

    connection, status = None, None

    def prepare(self, zygote, room, limits):
        """Say which zygote forks, in which of its folders, and within which limits."""
        self.zygote, self.room, self.limits = Path(zygote), Path(room), limits
        return self

    @property
    def has_process(self):
        """Tell whether there is a kernel, alive or not yet collected."""
        return self.connection is not None

    async def pre_launch(self, **kwargs):
        """Write the connection file, with the sockets' place as it is called inside."""
        manager = self.parent
        manager.write_connection_file()
        path = Path(manager.connection_file)
        inside = json.loads(path.read_text()) | {"ip": KERNEL_SOCKETS}
        path.write_text(json.dumps(inside))
        give_away(path)
        self.connection_info = manager.get_connection_info()
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd, **kwargs):
        """Ask for a kernel and wait until its sockets are bound."""
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(START_SECONDS)
        self.connection.connect(str(self.zygote / "socket"))
        request = {
            "room": self.room.name,
            "memory": int(self.limits["memory_gib"] * GIB),
            "cpu_seconds": self.limits["submission_seconds"],
        }
        self.connection.sendall(json.dumps(request).encode() + b"\n")
        words = self.connection.recv(4096).decode().strip()
        self.connection.setblocking(False)
        if words != "up":
            raise CourseError(f"the kernel did not start: {words or 'its sandbox ended'}")
        return self.connection_info

    async def poll(self):
        """Return None while the kernel lives, its exit status afterwards."""
        if self.status is None and self.connection is not None:
            with contextlib.suppress(BlockingIOError):
                words = self.connection.recv(4096).decode().split()
                self.status = int(words[-1]) if words else -9
        return self.status

    async def wait(self):
        """Collect the kernel: it is gone once the connection is closed."""
        await self.kill()
        return self.status

    async def kill(self, restart=False):
        """End the kernel and every process of its room."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    async def terminate(self, restart=False):
        """End the kernel."""
        await self.kill(restart)

    async def send_signal(self, signum):
        """Do nothing: a kernel that must stop is ended."""

    async def cleanup(self, restart=False):
        """Leave the files to the folder's owner."""
