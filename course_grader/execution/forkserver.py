"""The preloaded process in its sandbox: how it starts, how it forks a shell, how it ends.

What runs inside is `course_grader/inside`.
"""

__all__ = ["ForkServer"]

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from course_grader.execution import identity, mounts, sandbox
from course_grader.execution.inside.huge_pages import ASKED_EARLY
from course_grader.project.course import CourseError

DATA = "/run/data"  # from which each container gets a copy
EMPTY = ("/tmp", mounts.HOME, DATA)


class ForkServer:
    """A preloaded process in its sandbox, and the folder in which its socket lies."""

    def __init__(self, files: Mapping[str, Path], also: Iterable[str] = ()) -> None:
        """Start it.

        Parameters
        ----------
        files : dict
            {name: path} of data that lie beside every notebook.
        also : iterable of str
            Modules to import beforehand, besides those that every unit uses.

        Raises
        ------
        CourseError
            If students' code, which root runs as nobody, may not read what it needs.
        """
        needed = [*sandbox.programs(), *files.values(), *sandbox.font_cache().values()]
        mounts.check_open(identity.unused_id(), needed)
        self.folder = Path(tempfile.mkdtemp(prefix="containers-"))
        if os.getuid() == 0:
            os.chown(self.folder, *[identity.unused_id()] * 2)
        self.command = [*_command(self.folder, files), *also]
        self.changing, self.stopped = threading.Lock(), False
        self._start()

    def _start(self) -> None:
        (self.folder / "socket").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,  # held open: who is killed lets go of it
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        """Wait until it forks shells.

        Raises
        ------
        CourseError
            If it does not come up; the message holds its last words.
        """
        assert self.process.stdout
        if self.process.stdout.readline().strip() != "ready":
            words = self.process.communicate()[1].strip().splitlines() or ["no words"]
            self.stop()
            raise CourseError(f"the preloaded sandbox did not start: {words[-1]}")

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self.process.poll() is None

    def keep(self) -> None:
        """From now on start it again whenever it ends by itself: short of memory, it is killed."""
        threading.Thread(target=self._keep, daemon=True).start()

    def _keep(self) -> None:
        while True:
            self.process.wait()
            with self.changing:
                if self.stopped:
                    return
                self._close()
                self._start()

    def stop(self) -> None:
        """End it and every shell that it has forked."""
        with self.changing:
            self.stopped = True
            self.process.kill()
        self.process.wait()
        self._close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _close(self) -> None:
        for pipe in filter(None, (self.process.stdin, self.process.stdout, self.process.stderr)):
            pipe.close()


def _command(containers: Path, files: Mapping[str, Path]) -> list[str]:
    """Return the command that runs the preloaded process inside the sandbox."""
    fonts = sandbox.font_cache()  # its own, too
    data = {f"{DATA}/{name}": path for name, path in {**files, **fonts}.items()}
    data |= {f"{mounts.HOME}/{name}": path for name, path in fonts.items()}
    figures = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    own = {"PYTHONPATH": mounts.LIBRARY} | ASKED_EARLY
    return [
        *identity.bubblewrap(),
        *identity.namespaces(),
        *sandbox.fresh(),
        *sandbox.variables(sandbox.environment() | figures | own),
        *(part for place in EMPTY for part in ("--perms", "0777", "--tmpfs", place)),
        *mounts.binds(),
        *sandbox.program(),
        *mounts.ways(data, "0777"),
        *(part for place, path in data.items() for part in ("--ro-bind", str(path), place)),
        *(
            "--bind",
            str(containers),
            "/run/containers",
            "--remount-ro",
            "/",
            "--chdir",
            "/run/program",
        ),
        *("--", *_python()),
    ]


def _python() -> list[str]:
    """Return the inner command; root becomes nobody first, whose processes can be counted.

    The containers' own /proc is allowed only where nothing covers parts of this one, as bubblewrap
    does for root.
    """
    python = [mounts.python(), "-m", "inside"]
    if os.getuid():
        return python
    covers = "umount /proc/sys /proc/sysrq-trigger /proc/irq /proc/bus 2>/dev/null"
    return ["sh", "-c", f'{covers}; exec "$@"', "sh", *identity.become(), *python]
