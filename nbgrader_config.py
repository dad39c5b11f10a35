"""nbgrader's configuration: stock commands, our judge. Run them in this folder."""

from pathlib import Path

from course_grader.config import configure

c = get_config()  # noqa: F821 - nbgrader defines it
configure(c, root=Path(__file__).parent)

# A gradebook for several graders at once: set COURSE_DB_URL, such as
# postgresql+psycopg2://user@host/gradebook
