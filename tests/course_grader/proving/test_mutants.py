"""Each operator makes the slips that it promises; every mutant runs and differs."""

import ast

import pytest

from course_grader.proving.mutants import mutants, pointless
from course_grader.proving.mutation_operators import OPERATORS, SWAPS
from course_grader.proving.tree_edits import replaced

BODY = "def f(x, s):\n    {}\n"
CASES = [  # operator, one statement, the statements that it must become
    ("swap-function", "return x.sum()", ["return x.mean()"]),
    ("swap-function", "return torch.log(x.std())", ["return torch.log2(x.std())"]),
    ("swap-function", "return torch.log(x.std())", ["return torch.log(x.var())"]),
    ("drop-factor", "return 0.5 * x", ["return x", "return 0.5"]),
    ("drop-factor", "return x / s", ["return x"]),
    ("drop-term", "return x + s", ["return x", "return s"]),
    ("drop-term", "return x - s", ["return x"]),
    ("flip-sign", "return x + s", ["return x - s"]),
    ("flip-sign", "return x - s", ["return x + s"]),
    ("flip-sign", "return -x", ["return x"]),
    ("change-number", "return x.sum(0) + 2.5", ["return x.sum(1) + 2.5", "return x.sum(0) + 3.5"]),
    ("change-power", "return s ** 2", ["return s"]),
    ("change-power", "return x / s", ["return x * s"]),
    ("detach-result", "return x + s", ["return (x + s).detach()"]),
    ("change-axis", "return x.sum(dim=0)", ["return x.sum(dim=1)"]),
    ("change-axis", "return x.sum(axis=-1)", ["return x.sum(axis=0)"]),
    ("squeeze", "return x + s", ["return (x + s).squeeze()"]),
    ("floor", "return s.log()", ["return s.clip(1e-06).log()"]),
    ("floor", "return torch.log(s)", ["return torch.log(s.clip(1e-06))"]),
    ("look-one-level-deep", "return x.modules()", ["return x.children()"]),
    ("end-loop-early", "return [i for i in x]", ["return [i for i in list(x)[:-1]]"]),
    ("end-loop-early", "return [i for i in x]", ["return [i for i in list(x)[:5]]"]),
    ("detach-input", "return x", ["x = x.detach()\n    return x", "s = s.detach()\n    return x"]),
    ("drop-keyword", "return x.sum(0, keepdim=True)", ["return x.sum(0)"]),
    ("narrow-result", "return x + s", ["return (x + s).half().double()"]),
    ("narrow-result", "return x, s", ["return x.half().double(), s"]),
    ("squeeze", "return x, s", ["return x.squeeze(), s", "return x, s.squeeze()"]),
    ("squeeze-before", "return x.sum(1)", ["return x.squeeze().sum(-1)"]),
    ("squeeze-before", "return x.mean(dim=0)", ["return x.squeeze().mean(0)"]),
    ("squeeze-before", "return torch.logsumexp(x, dim=-1)", ["return x.squeeze().logsumexp(-1)"]),
    ("detach-one", "return x, s", ["return x.detach(), s", "return x, s.detach()"]),
    ("mark-input", "return x", ["x.requires_grad_()\n    return x"]),
    ("mark-input", "return x", ["s.requires_grad_()\n    return x"]),
    ("expand-square", "return (x - s) ** 2", ["return x * x - 2 * x * s + s * s"]),
    ("expand-square", "return (x - s).square()", ["return x * x - 2 * x * s + s * s"]),
    (
        "straighten",
        "return torch.log1p(x)",
        ["return torch.where(abs(x) < 0.001, x, torch.log1p(x))"],
    ),
    ("straighten", "return math.expm1(x)", ["return x if abs(x) < 0.001 else math.expm1(x)"]),
    ("straighten", "return F.softplus(x)", ["return torch.where(x > 7, x, F.softplus(x))"]),
]
WHOLE = '''
def f(x, s, *, n=3):
    """Text."""
    if x.ndim > 1:
        raise ValueError("shape")
    z = (x - s) ** 2 / s
    total = 0.5 * z**2 + torch.log1p(s) - 1
    for i in range(n):
        total = total + -i * x.sum(dim=0, keepdim=True)
    names = s.modules()
    return total.mean(), lambda v: v + 1


class A:
    def g(self):
        return f"{self.x:.3f}" + (True and 1)
'''


def operator_of(name):
    return name.split(": ")[0].split(".")[1]


@pytest.mark.parametrize(("operator", "statement", "changed"), CASES)
def test_an_operator_makes_what_it_promises(operator, statement, changed):
    made = {k: v for k, v in mutants("a", BODY.format(statement)).items() if f".{operator}: " in k}
    known = {ast.unparse(ast.parse(v)) for v in mutants("a", BODY.format(statement)).values()}
    assert {ast.unparse(ast.parse(BODY.format(line))) for line in changed} <= known
    assert made


@pytest.mark.parametrize("name", SWAPS)
def test_every_swap_changes_the_name_and_nothing_else(name):
    made = mutants("a", BODY.format(f"return torch.{name}(x)"))
    (swapped,) = [text for key, text in made.items() if ".swap-function: " in key]
    assert name != SWAPS[name] and f"torch.{SWAPS[name]}(x)" in swapped


def test_the_first_input_is_changed_in_place():
    source = mutants("a", BODY.format("return x.clone()"))["a.change-input: x.mul_(1.5)"]
    calls = [node.func.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    assert "mul_" in calls and "clone" in calls


def test_the_first_two_arguments_are_exchanged():
    source = mutants("a", BODY.format("return x - s"))["a.swap-arguments: def f(s, x):"]
    namespace = {}
    exec(source, namespace)
    assert namespace["f"](1, 3) == 2


def test_each_statement_but_the_last_is_left_out_once():
    lines = ['"""Text."""', "a = 1", "b = 2", "return x"]
    made = mutants("m", "def f(x):\n" + "\n".join(f"    {line}" for line in lines))
    dropped = {text for key, text in made.items() if ".drop-statement: " in key}
    wanted = [[line for line in lines if line != left] for left in ("a = 1", "b = 2")]
    texts = {
        ast.unparse(ast.parse("def f(x):\n" + "\n".join("    " + w for w in ls))) for ls in wanted
    }
    assert dropped == texts


SOURCES = [
    WHOLE,
    BODY.format("return x + x"),
    *(BODY.format(statement) for _, statement, _ in CASES),
]


@pytest.mark.parametrize("source", SOURCES)
def test_mutants_run_differ_from_the_answer_and_from_each_other(source):
    made = mutants("a", source)
    trees = [ast.dump(ast.parse(text)) for text in [source, *made.values()]]
    assert made and len(set(trees)) == len(trees)
    for text in made.values():
        compile(text, "mutant", "exec")


def test_the_whole_example_meets_every_operator():
    used = set(map(operator_of, mutants("a", WHOLE)))
    assert used == set(OPERATORS)


def test_names_hold_answer_operator_and_the_changed_line():
    for name, text in mutants("by-loop", WHOLE).items():
        start, line = name.split(": ", 1)
        answer, operator = start.split(".")
        assert answer == "by-loop" and operator in OPERATORS
        line = line.removesuffix(" (2)")
        kept = [part for part in line.split("...") if part.strip()]
        assert all(part.strip() in text for part in kept) != line.startswith("no ")


def test_an_edit_elsewhere_renames_no_mutant():
    edited = WHOLE.replace("    z = ", "    s = (s + 0) * 1 - 0\n    z = ")
    assert set(mutants("a", WHOLE)) < set(mutants("a", edited))


def test_the_same_line_twice_is_numbered():
    made = mutants("a", "def f(x):\n    x = x + 1\n    x = x + 1\n    return x\n")
    assert {"a.drop-term: x = x", "a.drop-term: x = x (2)"} < set(made)


@pytest.mark.parametrize(("place", "cut"), [(0, [0, 1]), (15, [1, 1]), (29, [1, 0])])
def test_of_a_long_line_the_name_shows_what_lies_around_the_slip(place, cut):
    terms = [f"x[{number}]" for number in range(30)]
    terms[place] = "s * 5"
    name = next(
        n for n in mutants("a", BODY.format(f"return {' + '.join(terms)}")) if "s * 6" in n
    )
    assert name.startswith("a.change-number: ") and len(name) < 100
    assert [name.startswith("a.change-number: ... "), name.endswith(" ...")] == cut


def test_markers_are_no_part_of_a_mutant():
    source = "def f(x, s):\n    ### BEGIN SOLUTION\n    return x + s\n    ### END SOLUTION\n"
    assert mutants("a", source) == mutants("a", BODY.format("return x + s"))


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_leaves_the_answer_as_it_is(operator):
    """Mutants share with it what they do not change."""
    tree = ast.parse(WHOLE)
    before = ast.dump(tree)
    for node in list(ast.walk(tree)):
        for change in OPERATORS[operator](node):
            ast.unparse(replaced(tree, node, change))
    assert ast.dump(tree) == before


def test_making_mutants_twice_gives_the_same():
    assert mutants("a", WHOLE) == mutants("a", WHOLE)


def test_words_and_truth_values_are_no_numbers():
    source = BODY.format("return f(x, True, 'mean', None)")
    assert not [name for name in mutants("a", source) if ".change-number: " in name]


def test_a_reduction_over_everything_or_several_axes_is_not_squeezed_before():
    statement = "return x.sum() + x.mean((0, 1)) + sum(x) + x.sum(s)"
    assert not [n for n in mutants("a", BODY.format(statement)) if ".squeeze-before: " in n]


def test_constants_and_written_out_loops_are_left_alone():
    statement = "return [math.log(2 * math.pi) + i for i in (1, 2)]"
    made = map(operator_of, mutants("a", BODY.format(statement)))
    assert not {"floor", "end-loop-early"} & set(made)


@pytest.mark.parametrize(
    ("checks", "left_out"),
    [
        ([("value", {"shape": []})], {"detach-result", "detach-one", "detach-input", "squeeze"}),
        (
            [("value", {"items": {"0": {"shape": [2]}}})],
            {"detach-result", "detach-one", "detach-input"},
        ),
        ([("value", {"shape": []}), ("gradient", {"shape": [3]})], {"squeeze"}),
        ([("value", {"error": "ValueError"}), ("gradient", {"shape": []})], {"squeeze"}),
    ],
)
def test_what_cannot_matter_is_left_out(checks, left_out):
    assert pointless([{"kind": kind, "got": got} for kind, got in checks]) == left_out
    assert not [n for n in mutants("a", WHOLE, but=left_out) if operator_of(n) in left_out]
