"""Become a Jupyter kernel, as `python -m ipykernel_launcher` does, with everything imported."""

__all__ = ["PRELOADED", "preload", "run_kernel"]

import contextlib
import gc
import importlib
import os
import sys

PRELOADED = [
    "IPython.core.completerlib",  # what a kernel imports on its way up, to "pdb"
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.kernelapp",
    "tornado.platform.asyncio",
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
    "torch._dynamo",  # what an optimiser imports at its first step: seconds
    "torch.distributions",
    "course_utils.checks",
    "course_utils.data",
    "course_utils.device",
    "course_utils.plotting",
    "course_utils.predictions",
    "course_utils.training",
    "course_utils.widgets",
]


def preload():
    """Import what lessons use, once for all submissions, and take no thread for it."""
    sys.modules["debugpy"] = None  # nobody debugs here, and each kernel would import it: 0.1 s
    for name in PRELOADED:
        with contextlib.suppress(ImportError):  # a leaner environment has fewer of them
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # collections in a child then leave the shared pages alone


def run_kernel(connection_file, ready):
    """Bind the kernel's sockets, say so on `ready`, and serve until told to end."""
    from ipykernel.kernelapp import IPKernelApp

    sys.argv = ["ipykernel_launcher.py", "-f", connection_file]
    sys.path[0:1] = [""]  # as -m leaves it: the working folder comes first
    _reseed()
    app = IPKernelApp.instance()
    app.initialize(sys.argv[1:])
    _connect_figures()
    os.write(ready, b"1")
    os.close(ready)
    app.start()


def _reseed():
    """Give numpy's global generator a seed of its own; torch's is the same in a fresh kernel."""
    import numpy as np

    np.random.seed()  # noqa: NPY002 - the global one is what a student's code may use


def _connect_figures():
    """Show figures after each cell: pyplot was imported before there was a shell to tell."""
    from matplotlib_inline import backend_inline

    backend_inline._enable_matplotlib_integration()
