"""A Jupyter server on loopback, for tests that open its pages in a browser."""

__all__ = ["TOKEN", "as_make_lab_says", "serve"]

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from course_grader.project.course import PROJECT
from course_grader.workspace import LANDING

TOKEN = "for-these-tests-alone"
SECONDS = 90  # a busy machine is slow to start one


@contextlib.contextmanager
def serve(module, root, *options, **variables):
    """Serve a folder; give the address, without the token that each request needs.

    Parameters
    ----------
    module : str
        jupyterlab or jupyter_server.
    root : Path
        The folder; the server's log lies beside it.
    *options, **variables
        For the command line and the environment.
    """
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        port = any_socket.getsockname()[1]
    told = ["--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1"]
    told += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}"]
    command = [sys.executable, "-m", module, *told, *options]
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"} | variables
    environment.pop("COURSE_PROGRESS", None)  # a learner's predictions are kept
    log = root.parent / f"{root.name}.log"
    with open(log, "w") as heard:
        server = subprocess.Popen(command, cwd=root, stdout=heard, stderr=heard, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api?token={TOKEN}", log)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def as_make_lab_says():
    """Return the variables that `make lab` hands to JupyterLab."""
    made = subprocess.run(
        ["make", "--dry-run", "lab"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    line = next(line for line in made.stdout.splitlines() if "default_url" in line)
    assert f"default_url=/lab/tree/{LANDING}" in line
    return dict(re.findall(r'(JUPYTER_CONFIG_PATH|PYTHONSTARTUP)="([^"]+)"', line))


def _wait_for(address, log):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(address, timeout=5).read()
        time.sleep(0.2)
    return pytest.fail(f"nothing answers at {address}: {log.read_text()[-1000:]}")
