"""Become the shell of one notebook: ipykernel's own, but it talks through a single socket.

A kernel has five sockets, as many threads, and hands each message from one to the other; none of
that is needed by a notebook that is run from top to bottom. What a cell shows is the same.
"""

__all__ = ["CONFINED", "PRELOADED", "main", "preload", "run_shell"]

import builtins
import contextlib
import gc
import getpass
import importlib
import os
import socket
import sys
from collections.abc import Iterable
from typing import Any

from .huge_pages import collapse
from .plain_cells import spare_plain_cells
from .streams import catch
from .syscalls import allow_only_known
from .transport import KEY, Wire

INLINE = "module://matplotlib_inline.backend_inline"
CONFINED = "confined"  # an argument: take no system call but known ones
PRELOADED = [
    "IPython.core.completerlib",  # what a kernel imports on its way up, to "pdb"
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.ipkernel",
    "jupyter_client.session",
    "sqlite3",
    "pdb",
    "ipywidgets",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "numpy",
    "scipy.stats",
    "scipy.integrate",
    "scipy.optimize",
    "sklearn.linear_model",
    "sklearn.datasets",
    "torch",
    "torch.distributions",
    "course_utils.checking.checks",
    "course_utils.data",
    "course_utils.device",
    "course_utils.plotting",
    "course_utils.predictions",
    "course_utils.training",
    "course_utils.widgets",
]


def preload(also: Iterable[str] = ()) -> Any:
    """Import what lessons use, once for all submissions, and return a kernel to fork."""
    gc.disable()  # what is imported stays
    # Nobody debugs here, and each kernel would import it: 0.1 s.
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    for name in (*PRELOADED, *also):
        with contextlib.suppress(ImportError):  # a leaner environment has fewer of them
            importlib.import_module(name)
    kernel = _make_kernel()
    gc.freeze()  # collections in a child then leave the shared pages alone
    gc.enable()
    collapse()
    return kernel


def main() -> None:
    """Be the shell of whoever started this process: its socket is where stdin was."""
    channel = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if CONFINED in sys.argv:
        allow_only_known()
    run_shell(_make_kernel(), channel)


def run_shell(kernel: Any, channel: socket.socket) -> None:
    """Run each cell that arrives on a socket until the other side hangs up."""
    sys.argv = ["ipykernel_launcher.py"]
    sys.path[0:1] = [""]  # as -m leaves it: the working folder comes first
    os.environ.setdefault("MPLBACKEND", INLINE)
    _reseed()
    _connect(kernel, Wire(channel))
    catch(lambda kind, content: _send(kernel, kind, content))
    _send(kernel, "status", {"execution_state": "starting"})
    with contextlib.suppress(EOFError):
        while True:
            _run(kernel, kernel.iopub_socket.receive())


def _make_kernel() -> Any:
    """Make the kernel that a shell will run, which may be made before the fork: it takes time."""
    from ipykernel.ipkernel import IPythonKernel
    from jupyter_client.session import Session
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False  # else a thread and a database for nobody
    config.IPKernelApp.connection_file = ""  # by this, libraries know that they are in Jupyter
    kernel: Any = IPythonKernel.instance(session=Session(key=KEY), config=config)
    kernel.shell.keepkernel_on_exit = False
    kernel.shell.observe(_leave, "exit_now")
    spare_plain_cells(kernel.shell)
    _connect_figures(kernel.shell)
    return kernel


def _connect(kernel: Any, wire: Wire) -> None:
    """Let a kernel, which another process may have made, speak for this one."""
    kernel.iopub_socket, kernel.session.pid = wire, os.getpid()
    for part in (kernel.shell.displayhook, kernel.shell.display_pub):
        part.pub_socket = wire
    _make_profile(kernel.shell)
    # Both raise at once: nobody is there to answer.
    builtins.input, getpass.getpass = kernel.raw_input, kernel.getpass


def _make_profile(shell: Any) -> None:
    """Make IPython's folders, unless the home is the one in which the kernel was made."""
    profile = shell.profile_dir
    if not os.path.isdir(profile.location):
        os.makedirs(profile.location)
        profile.check_dirs()


def _leave(change: dict[str, Any]) -> None:
    """End the process, as `exit` in a cell of a notebook does."""
    if change["new"]:
        os._exit(0)


def _run(kernel: Any, parts: list[bytes]) -> None:
    session, shell = kernel.session, kernel.shell
    request = session.deserialize(session.feed_identities(parts)[1])
    kernel.set_parent([], request)
    code, number = request["content"]["code"], shell.execution_count
    _send(kernel, "execute_input", {"code": code, "execution_count": number})
    shell.run_cell(code, store_history=True)
    if os.getpid() != kernel.session.pid:
        os._exit(0)  # a fork that a cell made does not answer the next one
    sys.stdout.flush()
    sys.stderr.flush()
    _send(kernel, "status", {"execution_state": "idle"})


def _send(kernel: Any, kind: str, content: dict[str, Any]) -> None:
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())


def _reseed() -> None:
    """Give numpy's global generator a seed of its own; torch's is the same in a fresh kernel."""
    import numpy as np

    np.random.seed()  # noqa: NPY002 - the global one is what a student's code may use


def _connect_figures(shell: Any) -> None:
    """Show figures after each cell, if pyplot was imported before there was a shell to tell."""
    backend = sys.modules.get("matplotlib_inline.backend_inline")
    if backend:
        from IPython.core.pylabtools import activate_matplotlib

        activate_matplotlib(INLINE)
        backend.configure_inline_support(shell, INLINE)


if __name__ == "__main__":
    main()
