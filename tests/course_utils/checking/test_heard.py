"""What an answer printed and where it failed is told to its writer."""

import sys

from course_utils.checking.heard import MOST, Heard


def run(source, name="<cell>"):
    """Define what a cell defines, as a notebook does: its lines are known, its file is none."""
    import linecache

    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = {}
    exec(compile(source, name, "exec"), namespace)
    return namespace


MEAN = """
def total(x):
    return sum(x)

def mean(x):
    return total(x) / len(x)
"""


def failed(source, call):
    heard = Heard()
    check = run(f"call = lambda: {call}", "<check>")
    check.update(run(source))
    try:
        check["call"]()
    except Exception as error:
        heard.failed(2, error, check["call"])
    return heard.places[2]


def test_the_place_is_the_innermost_line_of_the_readers_own():
    assert failed(MEAN, "mean([])") == "line 6 of your cell, in mean: return total(x) / len(x)"
    assert failed(MEAN, "mean(['a'])") == "line 3 of your cell, in total: return sum(x)"


def test_a_library_s_lines_are_passed_over():
    source = "import torch\n\ndef f(x):\n    return torch.distributions.Normal(0.0, x)\n"
    assert failed(source, "f(-1.0)").startswith("line 4 of your cell, in f: return torch")


def test_an_error_of_the_check_cell_itself_has_no_place():
    assert failed("", "1 / 0") == ""


def test_what_is_printed_is_kept_and_shown_nowhere(capsys):
    heard = Heard()
    with heard.listening():
        print("debugging")
        print("more", file=sys.stderr)
        sys.stdout.close()  # somebody tidies up
        print("still here")
    assert heard.printed == "debugging\nmore\nstill here"
    assert capsys.readouterr() == ("", "")


def test_only_the_beginning_of_much_is_kept():
    heard = Heard()
    with heard.listening():
        for _ in range(10):
            print("x" * MOST)
    assert len(heard.printed) == MOST
