"""Mutants: small slips made in right answers by operators. Each must be rejected or explained."""

__all__ = ["mutants", "pointless"]

import ast
import difflib
import itertools
import os
from collections.abc import Collection, Iterable

from course_grader.authoring import markers
from course_grader.proving.mutation_operators import OPERATORS
from course_grader.proving.tree_edits import replaced
from course_utils.checking.forms import Check

SHOWN, BEFORE = 76, 24  # characters of a long line that a name shows, and those before the slip


def mutants(name: str, source: str, *, but: Collection[str] = ()) -> dict[str, str]:
    """Return {mutant's name: source}, each differing from a right answer in one place.

    Parameters
    ----------
    name : str
        The right answer's name. A mutant's is `name.operator: line`, with the line that it has in
        place of another, or `no` and the one that it lacks; a second of the same ends in (2).
    source : str
        The answer's source.
    but : collection of str
        Operators to leave out: see `pointless`.
    """
    tree = ast.parse(markers.solved(source))
    made, right = {}, ast.unparse(tree)
    seen = {right}
    for operator, mutate in OPERATORS.items():
        if operator in but:
            continue
        for text in _apply(tree, mutate):
            if text not in seen:
                seen.add(text)
                made[_numbered(f"{name}.{operator}: {_slip(right, text)}", made)] = text
    return made


def pointless(checks: Iterable[Check]) -> set[str]:
    """Return the operators that cannot matter to an exercise with these checks.

    Without a gradient that is asked for, none can be lost; a number has nothing to squeeze.
    """
    kinds = {check["kind"] for check in checks}
    values = [check["got"] for check in checks if check["kind"] == "value"]
    shapes = [leaf.get("shape") for got in values for leaf in _leaves(got)]
    return {
        *(() if "gradient" in kinds else ("detach-result", "detach-one", "detach-input")),
        *(() if any(shapes) else ("squeeze",)),
    }


def _leaves(got):
    items = got.get("items")
    return [leaf for item in items.values() for leaf in _leaves(item)] if items else [got]


def _apply(tree, mutate):
    """Yield the source after each change that an operator makes to some node."""
    for node in list(ast.walk(tree)):
        for change in mutate(node):
            yield ast.unparse(replaced(tree, node, change))


def _slip(right, text):
    """Return the line of a mutant that differs from the right answer's, cut where it is long."""
    before, after = right.splitlines(), text.splitlines()
    edits = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    _, was, _, at, end = next(edit for edit in edits if edit[0] != "equal")
    if at == end:
        return "no " + _part(before[was], 0)
    return _part(after[at], len(os.path.commonprefix([before[was], after[at]])))


def _part(line, place):
    """Return a line without its indent; of a long one the words around a place."""
    indent = len(line) - len(line.lstrip())
    line, place = line.strip(), place - indent
    if len(line) <= SHOWN:
        return line
    start = max(0, min(place - BEFORE, len(line) - SHOWN))
    part, cut = line[start : start + SHOWN], start + SHOWN < len(line)
    part = f"... {part.partition(' ')[2]}" if start else part
    return f"{part.rpartition(' ')[0]} ..." if cut else part


def _numbered(name, made):
    """Return a name, numbered where a mutant has it already."""
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    return next(n for n in itertools.chain([name], numbered) if n not in made)
