"""Run as a program under one processor setting: does anything that git tracks depend on it?

`python -m tests.processors` compares each unit's checks.json with what is computed here, and
judges all answers. `--all` takes source and release whole, proves the mutants too, executes
lessons and solutions, and compares what must be the same everywhere. It prints each difference,
and ends with 1 if there is one. `--settings` does it under each setting in turn.
"""

import copy
import os
import subprocess
import sys

from course_grader.building.build import drifted, planned
from course_grader.building.expected_file import expected_file, visible_part
from course_grader.building.run_notebook import run_notebook
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, units
from course_grader.proving.proof import prove, prove_answers
from course_grader.proving.reference import make_reference
from course_utils.checking.comparison import EXPECTED_FILE

# What makes a processor look like another one to the libraries that compute.
SETTINGS = {
    "torch without vectors": {"ATEN_CPU_CAPABILITY": "default"},
    "MKL as on any processor": {"MKL_CBWR": "COMPATIBLE"},
    "OpenBLAS for an old core": {"OPENBLAS_CORETYPE": "Prescott"},
    "numpy without vectors": {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"},
}


def differences(unit):
    """Return what differs in a unit's checks.json, and in the verdicts of its answers."""
    reference = make_reference(unit)
    values = expected_file(visible_part(reference))
    plan = {f"{tree}/{unit.name}/{EXPECTED_FILE}": values for tree in ("source", "release")}
    told = prove_answers(unit, reference).values()
    return [f"{path} differs" for path in drifted(plan)] + [p for one in told for p in one]


def more_differences(unit):
    """Return what differs in whole trees, mutants, lesson and solutions."""
    found = [f"{path} differs" for path in drifted(planned(unit))]
    found += [problem for proof in prove(unit) for problem in proof.problems]
    for tree in ("notebooks", "solutions"):
        committed = notebooks.load(PROJECT / tree / f"{unit.name}.ipynb")
        fresh = run_notebook(copy.deepcopy(committed), _folder(unit, tree))
        pairs = zip(committed.cells, fresh.cells, strict=True)
        moved = [old for old, new in pairs if _must_be_same(old) and old.outputs != new.outputs]
        found += [f"{tree}: another output of {cell.source}" for cell in moved]
    return found


def _folder(unit, tree):
    """Return where a notebook finds what lies beside it: solutions check themselves."""
    return PROJECT / tree if tree == "notebooks" else PROJECT / "release" / unit.name


def _must_be_same(cell):
    return "nbval-check-output" in cell.metadata.get("tags", [])


def main(words):
    """Print what differs, unit by unit; return 1 if anything does."""
    if "--settings" in words:
        return max(
            _in_a_process(name, [w for w in words if w != "--settings"]) for name in SETTINGS
        )
    found = 0
    for unit in units():
        told = differences(unit) + (more_differences(unit) if "--all" in words else [])
        print(f"{unit.name}: {len(told)} differences", *told, sep="\n  ", flush=True)
        found += len(told)
    return 1 if found else 0


def _in_a_process(setting, words):
    """Run this program under a setting, which libraries read when they are loaded."""
    print(f"\n{setting}", flush=True)
    command = [sys.executable, "-W", "ignore", "-m", "tests.processors", *words]
    return subprocess.run(command, env=os.environ | SETTINGS[setting], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
