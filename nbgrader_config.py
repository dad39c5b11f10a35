"""nbgrader's configuration: stock commands, our judge. Run them in this folder."""

import sys
from pathlib import Path

if Path(__file__).with_name("course_grader").is_dir():  # this folder's judge, not another clone's
    sys.path.insert(0, str(Path(__file__).parent.resolve()))

from course_grader.gradebook.config import configure  # noqa: E402

c = get_config()  # noqa: F821 - nbgrader defines it
configure(c, root=Path(__file__).parent)

# A gradebook for several graders at once: set COURSE_DB_URL, such as
# postgresql+psycopg2://user@host/gradebook
