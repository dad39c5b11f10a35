"""nbgrader's configuration: stock commands, our judge. Run them in this folder."""

from course_grader.config import configure

c = get_config()  # noqa: F821 - nbgrader defines it
configure(c)

# A gradebook for several graders at once: set COURSE_DB_URL, such as
# postgresql+psycopg2://user@host/gradebook
