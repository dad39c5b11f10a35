"""Links that open a lesson where it runs: in Binder, or in Colab."""

__all__ = ["checked_repository", "launch_links"]

import re

from course_grader.project.course import CourseError

GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")


def checked_repository(address: str) -> str:
    """Return a repository's address without its ending, or '' for none.

    Raises
    ------
    CourseError
        If it is not one on GitHub: Binder's and Colab's links are made for that only.
    """
    found = GITHUB.fullmatch(address.strip())
    if address.strip() and not found:
        asked = "REPOSITORY=https://github.com/owner/name"
        raise CourseError(f"The repository is given as {asked}; got '{address}'.")
    return f"https://github.com/{found[1]}/{found[2]}" if found else ""


def launch_links(unit: str, repository: str) -> str:
    """Return a line of Markdown with links to a lesson that runs; '' where none is known.

    Binder reads environment.yml; Colab has most of it, and lacks the course's own package.
    """
    if not repository:
        return ""
    name = repository.removeprefix("https://github.com/")
    lesson = f"notebooks/{unit}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{name}/HEAD?labpath={lesson}"
    colab = f"https://colab.research.google.com/github/{name}/blob/main/{lesson}"
    return (
        f"Run it: [in Binder]({binder}), or [in Colab]({colab}), there after "
        f"`%pip install --no-deps git+{repository}`."
    )
