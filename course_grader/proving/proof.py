"""Prove the checks: right answers pass, wrong ones fail what they say, mutants are rejected."""

__all__ = ["Proof", "prove", "prove_answers"]

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np

from course_grader.authoring.answers import read_answers
from course_grader.authoring.exercises import read_assignment
from course_grader.judging.judge import agrees_so_far, judge
from course_grader.project.course import Unit
from course_grader.proving import trivial_answers
from course_grader.proving.answer_runner import ExerciseContext, run_answers
from course_grader.proving.mutants import mutants, pointless
from course_grader.proving.reference import make_reference, reference_for
from course_grader.proving.room import nearly_refused
from course_grader.proving.subtle_operators import ONCE
from course_utils.checking.forms import Reference


@dataclasses.dataclass
class Proof:
    """What was run for one exercise, and every disagreement found.

    `named` wrong answers get their own sentence. Of the rejected mutants `related` are told a
    relation of their numbers, and `placed` others the cases in which they are right.
    """

    exercise: str
    right: int = 0
    wrong: int = 0
    made: int = 0
    rejected: int = 0
    equivalent: int = 0
    named: int = 0
    related: int = 0
    placed: int = 0
    problems: list[str] = dataclasses.field(default_factory=list)

    def __str__(self):
        return (
            f"{self.exercise}: {self.right} right, {self.wrong} wrong; mutants {self.made} made, "
            f"{self.rejected} rejected, {self.equivalent} equivalent; told: "
            f"{_percent(self.named, self.wrong)} of wrong by name, mutants "
            f"{_percent(self.related, self.rejected)} by relation, "
            f"{_percent(self.placed, self.rejected)} by case"
        )


def prove(
    unit: Unit, *, texts: Sequence[str] = (), only: str | None = None, brief: bool = False
) -> list[Proof]:
    """Run every answer and mutant of a unit through the real judge.

    Parameters
    ----------
    unit : Unit
    texts : sequence of str
        What is printed in release and lesson: the numbers that empty hands may use.
    only : str, optional
        One exercise; default: all.
    brief : bool
        Leave each mutant at its first check that is not as expected. It is rejected all the
        same, but nobody knows what it would have been told.

    Returns
    -------
    list of Proof
        One for each exercise; `problems` is empty where everything is as claimed.
    """
    master = read_assignment(unit)
    answers = read_answers(unit, master.exercises)
    reference = make_reference(unit, only=only) if only else reference_for(unit)
    references = [reference, make_reference(unit, by="oracle", only=only, like=reference)]
    guesses = trivial_answers.guesses_from(trivial_answers.printed_numbers(*texts))
    return [
        _prove(exercise, master, answers[name], [r[name] for r in references], guesses, brief)
        for name, exercise in master.exercises.items()
        if name == (only or name)
    ]


def prove_answers(unit: Unit, reference: Mapping[str, Reference]) -> dict[str, list[str]]:
    """Judge a unit's right and wrong answers alone, none run again: {exercise: problems}.

    Parameters
    ----------
    unit : Unit
    reference : dict
        From `make_reference`; it holds what the solution and the wrong answers reported.
    """
    master = read_assignment(unit)
    answers, problems = read_answers(unit, master.exercises), {}
    for name, exercise in master.exercises.items():
        proof, entry = Proof(name), reference[name]
        _prove_right(proof, ExerciseContext.of(master, exercise), answers[name], [entry])
        _prove_wrong(proof, answers[name].wrong, [entry])
        problems[name] = proof.problems
    return problems


def _reported(hint, entry):
    """Return the record of a wrong answer whose values a reference holds."""
    pairs = zip(entry["checks"], hint["got"], strict=False)
    return [{**check, "got": got} for check, got in pairs]


def _prove(exercise, master, answers, references, guesses, brief):
    proof = Proof(exercise.name)
    stage = ExerciseContext.of(master, exercise)
    _prove_right(proof, stage, answers, references)
    _prove_wrong(proof, answers.wrong, references)
    _prove_mutants(proof, stage, exercise, answers, references[0], brief)
    _prove_empty_hands(proof, stage, exercise, references[0], guesses)
    return proof


def _prove_right(proof, stage, answers, references):
    """Judge right answers; what solution and oracle reported, the references of them hold."""
    made = ["solution", answers.oracle.name]
    known = {name: entry["checks"] for name, entry in zip(made, references, strict=False)}
    others = {a.name: a.source for a in answers.right if a.name not in known}
    for name, record in [*known.items(), *_records(stage, others)]:
        for verdict in (judge(proof.exercise, record, r) for r in references):
            if verdict.status != "passed":
                findings = [a.finding for a in verdict.aspects if a.finding]
                proof.problems.append(f"right answer {name!r} fails: {findings}")
        proof.problems += [
            f"right answer {name!r} {near}" for near in nearly_refused(record, references[0])
        ]
    proof.right = len(known | others)


def _prove_wrong(proof, answers, references):
    """Judge what wrong answers reported when the first reference was made."""
    proof.wrong = len(answers)
    records = [_reported(hint, references[0]) for hint in references[0]["hints"]]
    for wrong, record in zip(answers, records, strict=True):
        verdicts = [judge(proof.exercise, record, reference) for reference in references]
        for fails in map(_failing, verdicts):
            if fails != wrong.fails:
                told = f"fails {sorted(fails)}, but says {sorted(wrong.fails)}"
                proof.problems.append(f"wrong answer {wrong.name!r} (line {wrong.line}) {told}")
        if verdicts[0].hint == wrong.sentence:
            proof.named += 1
        else:
            proof.problems.append(f"wrong answer {wrong.name!r} does not get its own hint")


def _records(stage, sources, enough=None):
    records = run_answers(stage, list(sources.values()), enough=enough)
    return zip(sources, records, strict=True)


def _failing(verdict):
    """Return the names of the aspects that an answer fails."""
    return frozenset(aspect.name for aspect in verdict.aspects if aspect.status != "passed")


def _prove_mutants(proof, stage, exercise, answers, reference, brief):
    but = pointless(reference["checks"])
    made = mutants("solution", exercise.solution.source, but=but)
    for right in answers.right:
        made |= mutants(right.name, right.source, but=but | ONCE)
    enough = functools.partial(_fails_by_now, reference) if brief else None
    for name, record in _records(stage, made, enough):
        failed = [a for a in judge(exercise.name, record, reference).aspects if a.finding]
        rejected, related = bool(failed), any(aspect.relation for aspect in failed)
        proof.rejected += rejected
        proof.related += related
        proof.placed += not related and any("; right for" in aspect.finding for aspect in failed)
        if rejected == (name in answers.equivalent):
            claim = "is listed as equivalent, but rejected" if rejected else "is not rejected"
            proof.problems.append(f"mutant {name!r} {claim}:\n{made[name]}")
    missing = sorted(set(answers.equivalent) - set(made))
    proof.problems += [f"no mutant is called {name!r}" for name in missing]
    proof.made, proof.equivalent = len(made), len(answers.equivalent)


def _fails_by_now(reference, record):
    return not agrees_so_far(record, reference)


def _percent(part, whole):
    return f"{100 * part / max(whole, 1):.0f}%"


def _prove_empty_hands(proof, stage, exercise, reference, guesses):
    guesses = np.asarray(guesses)
    lucky = (trivial_answers.empty_record, trivial_answers.by_heart)
    fakes = [make(reference, guesses) for make in lucky]
    fakes += trivial_answers.echo_records(stage, exercise.solution.source)
    for fake in fakes:
        verdict = judge(exercise.name, fake, reference)
        won = [aspect.name for aspect in verdict.aspects if aspect.status == "passed"]
        if won:
            proof.problems.append(f"empty hands earn {verdict.earned:g} points: {won}")
