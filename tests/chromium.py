"""Which program is Chromium here."""

__all__ = ["find_chromium"]

import shutil


def find_chromium() -> str | None:
    """Return its path, or None. Built without windows it draws the same pages in less time."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")
