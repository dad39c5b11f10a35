"""Any path, any user: clones in odd places build, grade and keep their sandboxes sound."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import pytest

from course_grader.authoring.composer import Composer
from course_grader.execution import mounts, pool, probe
from course_grader.gradebook.converters import run_converter
from course_grader.intake.collect import intake
from course_grader.project.course import PROJECT, Course, CourseError, find_unit

NAME = "Kurs #1 mit Übung, 100% 'neu' $x"  # what URLs, make and shells read as their own
PLAIN = 64123  # no account has this number
TREES = ("notebooks", "source", "release", "solutions")
LOOK = """
from course_grader.project.surroundings import have_home
have_home()  # as each of our commands does first; stock nbgrader does not start without one
from traitlets.config import PyFileConfigLoader
PyFileConfigLoader("nbgrader_config.py", path=".").load_config()
import json
from nbformat.v4 import new_code_cell, new_notebook
from course_grader.building.run_notebook import run_notebook
from course_grader.execution import probe
from course_grader.project import course
with probe.preloading({}, say=print) as ready:
    alone, preloaded = probe.problem_of(None), ready() and probe.problem_of(ready())
cell = new_code_cell("import course_utils; print(course_utils.__file__)")
done = run_notebook(new_notebook(cells=[cell], metadata={"course": {"master": ""}}), ".")
kernel = done.cells[0].outputs[0].text
print(json.dumps([str(course.PROJECT), kernel.strip(), alone, preloaded]))
"""


class Clone:
    """A copy of what git tracks, entered through a link, with this environment linked."""

    def __init__(self, folder, user):
        self.root, self.link, self.user = folder / NAME, folder / "link", user
        self.keep = folder / "keep"
        _copy_tracked(self.root)
        (self.root / ".venv").symlink_to(os.path.realpath(sys.prefix))
        self.link.symlink_to(self.root)
        (folder / "t m p").mkdir()
        self.expected = _class_of_three(self.root)
        if user:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user, user, follow_symlinks=False)
        self.variables = {"PATH": os.environ["PATH"], "TMPDIR": str(folder / "t m p")}
        self.variables |= {"LC_ALL": "C", "PWD": str(self.link), "OMP_NUM_THREADS": "1"}

    def run(self, *command, check=True):
        """Run a command in it as its user, with next to no environment; return what it said."""
        options = {"cwd": self.link, "env": self.variables, "umask": 0o077}
        done = subprocess.run(
            [*self._become(), *command], capture_output=True, text=True, timeout=120, **options
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    def _become(self):
        if not self.user:
            return []
        ids = ("--reuid", str(self.user), "--regid", str(self.user), "--clear-groups")
        switch = ["setpriv", *ids, "--", "env"]  # a step in which root's privileges are gone
        roots = {os.path.realpath(p) for p in (sys.prefix, sys.base_prefix)}
        ways = [way for root in roots for way in reversed(Path(root).parents)]
        closed = next((str(way) for way in ways if not way.stat().st_mode & 1), None)
        inner = [root for root in sorted(roots) if closed and root.startswith(f"{closed}/")]
        script = _opening(closed, inner, str(self.keep)) if closed else ""
        return ["unshare", "--mount", "sh", "-ec", f'{script}\nexec "$@"', "sh", *switch]


def _opening(closed, inner, keep):
    """Show folders in a folder that nobody else gets into, such as /root, here only."""
    kept = {f"{keep}/{number}": folder for number, folder in enumerate(inner)}
    lines = [["umask", "022"], ["mkdir", "-p", *kept]]
    lines += [["mount", "--bind", folder, place] for place, folder in kept.items()]
    lines += [["mount", "-t", "tmpfs", "-o", "mode=755", "none", closed], ["mkdir", "-p", *inner]]
    lines += [["mount", "--bind", place, folder] for place, folder in kept.items()]
    lines += [["umask", "077"]]
    return "\n".join(map(shlex.join, lines))


def _copy_tracked(root):
    """Copy files with their times: make would think the environment older than them."""
    listed = ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"]
    named = subprocess.run(listed, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for name in [*filter(None, named.split("\0")), "build/reference/01_loss_as_likelihood.json"]:
        if (PROJECT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, root / name)


def _class_of_three(root):
    """Hand in one who knows all, one with a known mistake, one who did nothing."""
    composer = Composer(Course(root), find_unit("01"))
    first = composer.first
    wrong = composer.answers[first].wrong[0].name
    for student, choices in {
        "all": {},
        "mistaken": {first: wrong},
        "nothing": dict.fromkeys(composer.master.exercises),
    }.items():
        composer.hand_in(student, *composer.compose(choices))
    return composer.expected


@pytest.fixture(scope="module", params=["whoever runs this", "a plain user"])
def clone(request, bubblewrap, reference):
    """Make a clone below /tmp, over which the sandbox has a /tmp of its own."""
    plain = request.param == "a plain user"
    if plain and os.getuid():
        pytest.skip("a plain user runs these tests: the other clone is theirs")
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="places-") as folder:
        made = Clone(Path(folder), PLAIN if plain else None)
        tried = made.run(".venv/bin/python", "-c", "", check=False)
        if tried.returncode:
            pytest.skip(f"a plain user cannot run {sys.prefix}/bin/python: {tried.stderr}")
        yield made


def test_a_build_changes_nothing(clone):
    """But for checks.json, whose last digits are the processor's."""
    clone.run("make", "build", "UNIT=01")
    paths = [p for tree in TREES for p in (PROJECT / tree).rglob("*.ipynb")]
    assert [
        p for p in paths if p.read_bytes() != (clone.root / p.relative_to(PROJECT)).read_bytes()
    ] == []


def test_a_class_is_graded(clone):
    clone.run("make", "grade", "UNIT=01", f"FROM={clone.link}/submitted", "WORKERS=2")
    records = [json.loads(p.read_text()) for p in clone.root.glob("records/01*/*.json")]
    assert {record["student"]: record["score"] for record in records} == clone.expected
    assert {record["execution"]["sandbox"] for record in records} <= {
        "preloaded bubblewrap",
        "bubblewrap",
    }
    assert (clone.root / "gradebook.db").is_file()
    assert len(list(clone.root.glob("feedback/*/*/*.html"))) == 3


def test_both_sandboxes_are_sound_and_all_is_this_clones(clone):
    said = clone.run(".venv/bin/python", "-P", "-c", LOOK).stdout.splitlines()
    project, kernel, alone, preloaded = json.loads(said[-1])
    assert project == str(clone.root)
    assert kernel == f"{project}/course_utils/__init__.py"
    assert alone == ""
    if preloaded is None and not os.environ.get("COURSE_REQUIRE_SANDBOX"):
        pytest.skip(said[0])
    assert preloaded == "", said


def test_a_linked_environment_is_never_installed_into(tmp_path):
    shutil.copy(PROJECT / "Makefile", tmp_path)
    (tmp_path / ".venv").symlink_to("nowhere")
    done = subprocess.run(["make", "env"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode and "is a link to an environment" in done.stderr


def test_a_path_that_nbgrader_takes_for_a_pattern_is_refused(tmp_path):
    course = types.SimpleNamespace(root=str(tmp_path / "Kurs [1]"))
    with pytest.raises(CourseError, match=r"Kurs \[1\]: nbgrader takes"):
        run_converter(types.SimpleNamespace(coursedir=course), "graded")


def test_a_path_too_long_for_sockets_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("x" * 80)))
    with pytest.raises(CourseError, match="set TMPDIR"):
        pool.warm_pool(1)


def test_a_course_among_the_systems_files_is_refused(monkeypatch):
    monkeypatch.setattr(mounts, "PROJECT", Path("/usr/share/course"))
    with pytest.raises(CourseError, match=r"/usr/share/course lies in /usr/share"):
        mounts.shown()


def test_what_lies_beside_programs_is_not_shown(monkeypatch):
    monkeypatch.setattr(mounts, "PROJECT", Path("/usr/src/app"))
    assert not {"/usr", "/usr/local", "/usr/src", sys.prefix} & mounts.shown().keys()


def test_a_home_that_is_shown_is_found(monkeypatch, bubblewrap, tmp_path):
    (tmp_path / "diary").touch()
    theirs, binds = "/home/somebody", mounts.binds()
    more = [*mounts.ways([f"{theirs}/x"]), "--ro-bind", str(tmp_path), theirs]
    monkeypatch.setattr(mounts, "binds", lambda: [*binds, *more])
    assert probe.problem_of(None) == "its self-test gave ['homes']"


def test_what_root_alone_may_read_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    mounts.check_open(secret.stat().st_uid, [secret])
    with pytest.raises(CourseError, match=r"secret: chmod -R a\+rX"):
        mounts.check_open(PLAIN, [secret])


def test_submitted_under_another_name_is_submitted(course, unit, tmp_path):
    composer = Composer(course, unit)
    composer.hand_in("one", *composer.compose())
    (tmp_path / "link").symlink_to(course.root)
    intake(course, unit)
    before = sorted((course.root / "submitted").rglob("*"))
    assert [a.reason for a in intake(course, unit, tmp_path / "link" / "submitted")] == [""]
    assert sorted((course.root / "submitted").rglob("*")) == before
