"""nbconvert: how a page is finished, and which preprocessors an exporter holds."""

__all__ = ["PAGE_PARSER", "REGISTERED"]

import functools

from course_grader.hooks.hook import Hook

_hook = functools.partial(Hook, "nbconvert", "7.17.2")

PAGE_PARSER = _hook("nbconvert.exporters.html", "BeautifulSoup")
REGISTERED = _hook("nbconvert.exporters:Exporter", "_preprocessors")
