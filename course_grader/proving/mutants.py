"""Mutants: small slips made in right answers by operators. Each must be rejected or explained."""

__all__ = ["mutants", "pointless"]

import ast
from collections.abc import Collection, Iterable

from course_grader.authoring import markers
from course_grader.proving.mutation_operators import OPERATORS
from course_grader.proving.tree_edits import replaced
from course_utils.checking.forms import Check


def mutants(name: str, source: str, *, but: Collection[str] = ()) -> dict[str, str]:
    """Return {mutant's name: source}, each differing from a right answer in one place.

    Parameters
    ----------
    name : str
        The right answer's name; a mutant is called name.operator.number.
    source : str
        The answer's source.
    but : collection of str
        Operators to leave out: see `pointless`.
    """
    tree = ast.parse(markers.solved(source))
    made, seen = {}, {ast.unparse(tree)}
    for operator, mutate in OPERATORS.items():
        if operator in but:
            continue
        for number, text in enumerate(_apply(tree, mutate), 1):
            if text not in seen:
                seen.add(text)
                made[f"{name}.{operator}.{number}"] = text
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
            yield ast.unparse(ast.fix_missing_locations(replaced(tree, node, change)))
