"""Show a page to whoever sits at this machine."""

__all__ = ["show"]

import contextlib
import os
import sys
import webbrowser


def show(address: str) -> None:
    """Open a page in a browser with a window; one in the terminal would take that over.

    Parameters
    ----------
    address : str
        http:// or file://.
    """
    windows = sys.platform != "linux" or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    if windows or "BROWSER" in os.environ:
        with contextlib.suppress(webbrowser.Error, OSError):
            webbrowser.open(address)
