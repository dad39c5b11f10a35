"""The playground as one page, and the command that opens it.

The page computes everything itself, in JavaScript, and asks no kernel: points can be dragged
without a wait, the same file serves a disk without network, a bundle, a Jupyter server and a
static site, and each formula stands once. It is held against SciPy by driving it in a browser.
Voila shows it as well, in a frame, and adds only a wait: its own templates (0.5.13) ask another
host for fonts, and it brings an extension into every JupyterLab.
"""

__all__ = ["HEADS", "LESSONS", "NAME", "playground_page", "write_playground"]

from collections.abc import Callable
from pathlib import Path

import jinja2

from course_grader.project.course import PROJECT

NAME = "playground.html"
SCRIPTS = (
    "special",
    "search",
    "parameters",
    "families",
    "counts",
    "chart",
    "card",
    "points",
    "app",
)
NUMBERS = {
    "mean": "mean",
    "variance": "variance",
    "skewness": "skewness",
    "kurtosis": "excess kurtosis",
    "q5": "0.05 quantile",
    "q50": "median",
    "q95": "0.95 quantile",
    "drawn": "mean of draws",
}
ONE, HEADS, TEN = "01_loss_as_likelihood", "02_output_distributions", "10_mixtures"
LESSONS = {  # family of the page: where it is taught, as (unit, heading)
    "normal": [(ONE, "From a density to a loss"), (HEADS, "A head is a promise")],
    "laplace": [(ONE, "One outlier, three noise models"), (HEADS, "Every head wins somewhere")],
    "student": [(ONE, "One outlier, three noise models"), (HEADS, "Every head wins somewhere")],
    "huber": [(HEADS, "Every head wins somewhere")],
    "humps": [(HEADS, "Every head wins somewhere"), (TEN, "One histogram, three stories")],
    "lognormal": [(HEADS, "Every head wins somewhere")],
    "gamma": [(HEADS, "Every head wins somewhere")],
    "beta": [(HEADS, "Every head wins somewhere")],
    "bernoulli": [(ONE, "The same step for labels"), (HEADS, "Where the link comes from")],
    "categorical": [(ONE, "The same step for labels"), (HEADS, "Labels, and labels in order")],
    "ordinal": [(HEADS, "Labels, and labels in order")],
    "poisson": [(HEADS, "Counts: three heads, one network")],
    "negative": [
        (HEADS, "Counts: three heads, one network"),
        (HEADS, "Where the link comes from"),
    ],
    "inflated": [(HEADS, "Every head wins somewhere")],
}


def playground_page(
    address: Callable[[str, str], str | None] | None = None, home: str | None = None
) -> str:
    """Return the page: one file of HTML that asks for nothing else.

    Parameters
    ----------
    address : callable, optional
        Takes a unit's name and a heading of its lesson, returns where that is, or None where
        nothing is to be linked: then the page names unit and heading.
    home : str, optional
        Where all lessons are listed.

    Returns
    -------
    str
    """
    loader = jinja2.PackageLoader("course_grader.playground", "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True)
    lessons = {
        family: [_link(unit, heading, address) for unit, heading in places]
        for family, places in LESSONS.items()
    }
    scripts = [f"{name}.js" for name in SCRIPTS]
    words = {"numbers": NUMBERS, "scripts": scripts, "home": home, "data": {"lessons": lessons}}
    return environment.get_template(NAME).render(**words)


def _link(unit, heading, address):
    href = address(unit, heading) if address else None
    return {"text": f"unit {unit[:2]}, {heading}", "href": href}


def write_playground(project: Path = PROJECT) -> Path:
    """Write the page to build/playground.html; return where it lies.

    It links to lessons of build/site/, as far as they are there.

    Parameters
    ----------
    project : Path

    Returns
    -------
    Path
    """
    path = project / "build" / NAME
    path.parent.mkdir(exist_ok=True)

    def there(place):
        return place if (path.parent / place).is_file() else None

    page = playground_page(
        lambda unit, heading: there(f"site/lessons/{unit}.html"), home=there("site/index.html")
    )
    path.write_text(page, "utf-8")
    return path
