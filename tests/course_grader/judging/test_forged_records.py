"""Two safety nets behind the red team's: no judge, no points; no record but the check cell's."""

import copy

import nbformat

from course_grader.authoring.composer import Composer, cell_of
from course_grader.judging.judged_notebook import judge_notebook
from course_grader.project.course import Course


def test_without_a_judge_nobody_gets_points(unit, bubblewrap, tmp_path):
    """Stock autograde with no configuration of ours: every check cell ends in an error."""
    from nbgrader.utils import determine_grade

    from course_grader.execution.cache import data_files
    from course_grader.execution.execute import execute
    from course_grader.gradebook.preprocessors import rebuilt

    course = Course.throwaway(tmp_path / "course", unit)
    solved, _ = Composer(course, unit).compose()
    executed = execute(rebuilt(solved, course, unit, "me"), files=data_files(course, unit))
    for cell in executed.cells:
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade"):
            assert "not judged: run from the course folder" in str(cell.outputs[-1])
            assert determine_grade(cell)[0] == 0


def test_a_record_from_another_cell_is_not_looked_at(unit, release, reference):
    forged = copy.deepcopy(release)
    right = {"exercise": "gaussian-nll", "checks": reference["gaussian-nll"]["checks"]}
    stub = cell_of(forged, "gaussian-nll-solution")
    stub.source += "\npass"
    stub.outputs = [
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {"application/vnd.course.record+json": right},
        }
    ]
    outcome = judge_notebook(nbformat.from_dict(forged), release, reference)
    assert outcome.verdicts["gaussian-nll"].earned == 0
