"""Run as a program under one processor setting: does anything that git tracks depend on it?

`python -m tests.processors` compares source and release of each unit with what is computed here,
and judges all answers. `--all` proves the mutants too, executes lessons and solutions, and
compares what must be the same everywhere. Prints each difference; ends with 1 if there is one.
"""

import sys

from course_grader import notebooks
from course_grader.build import drifted, planned
from course_grader.course import PROJECT, units
from course_grader.perform import perform
from course_grader.proof import prove, prove_answers
from course_grader.reference import make_reference

# What makes a processor look like another one to the libraries that compute.
SETTINGS = {
    "torch without vectors": {"ATEN_CPU_CAPABILITY": "default"},
    "MKL as on any processor": {"MKL_CBWR": "COMPATIBLE"},
    "OpenBLAS for an old core": {"OPENBLAS_CORETYPE": "Prescott"},
    "numpy without vectors": {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"},
}


def differences(unit):
    """Return what differs in a unit's source and release, and in the verdicts of its answers."""
    reference = make_reference(unit)
    found = [f"{path} differs" for path in drifted(planned(unit, reference))]
    return found + [p for told in prove_answers(unit, reference).values() for p in told]


def more_differences(unit):
    """Return what differs in mutants, lesson and solutions."""
    found = [problem for proof in prove(unit) for problem in proof.problems]
    for tree in ("notebooks", "solutions"):
        committed = notebooks.load(PROJECT / tree / f"{unit.name}.ipynb")
        fresh = perform(notebooks.load(PROJECT / tree / f"{unit.name}.ipynb"), PROJECT / tree)
        pairs = zip(committed.cells, fresh.cells, strict=True)
        found += [
            f"{tree}: {old.source}" for old, new in pairs if _must_be_same(old) and old != new
        ]
    return found


def _must_be_same(cell):
    return "nbval-check-output" in cell.metadata.get("tags", [])


def main(words):
    """Print what differs, unit by unit; return 1 if anything does."""
    found = 0
    for unit in units():
        told = differences(unit) + (more_differences(unit) if "--all" in words else [])
        print(f"{unit.name}: {len(told)} differences", *told, sep="\n  ", flush=True)
        found += len(told)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
