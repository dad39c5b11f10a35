"""Each word of the table imports late what the table says; without the call nothing does."""

import os
import subprocess
import sys

from course_grader.execution.slow_imports import NEEDED_BY, slow_imports

CALLS = {
    "torch.optim": "o = torch.optim.SGD([x], lr=0.1); x.sum().backward(); o.step()",
    "torch.func": "torch.func.grad(lambda x: (x**2).sum())(x)",
    "broadcast_shapes": "torch.broadcast_shapes((3,), (2, 1))",
    "MultivariateNormal": "torch.distributions.MultivariateNormal(x, torch.eye(3))",
    "vectorize=True": "torch.autograd.functional.jacobian(torch.exp, x, vectorize=True)",
}
TRIED_IN_A_CHILD = """
import os, sys, torch, torch.distributions
for call, module in {calls!r}:
    assert module not in sys.modules, module
    if not os.fork():
        x = torch.ones(3, requires_grad=True)
        exec(call)
        os._exit(module not in sys.modules)
    assert os.wait()[1] == 0, call
"""


def test_what_the_table_names_is_imported_by_the_call_and_not_before():
    assert CALLS.keys() == NEEDED_BY.keys()
    code = TRIED_IN_A_CHILD.format(calls=[(CALLS[word], NEEDED_BY[word].place) for word in CALLS])
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_each_module_is_named_once_and_a_text_without_the_words_needs_none():
    assert slow_imports("torch.optim.Adam, torch.func.grad") == ["torch._dynamo"]
    assert slow_imports("import torch") == []
