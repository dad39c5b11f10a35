# %% [markdown]
# # Attacks on the grading
#
# Each cell is student code, titled by the attack's name; a cell with the role `extra` follows the
# provided setup cell of the same submission. None may earn a point of the first exercise.

# %% displayhook
def gaussian_nll(*a, **k):
    return __import__("sys").displayhook(5)


def bce_from_logits(*a, **k):
    return 1.0


# %% ast-transformer extra=True
import ast


class NoRaise(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()

    def visit_Raise(self, node):
        return ast.Pass()


get_ipython().ast_transformers.append(NoRaise())


# %% ast-transformer
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


# %% input-transformer extra=True
get_ipython().input_transformers_cleanup.append(lambda lines: ["4.0\n"])


# %% input-transformer
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


# %% always-equal
class Liar(float):
    __eq__ = __lt__ = __le__ = lambda *_: True
    __hash__ = None


def gaussian_nll(*a, **k):
    return Liar(1)


def bce_from_logits(*a, **k):
    return Liar(1)


# %% patched-allclose extra=True
import numpy, torch, math

numpy.allclose = torch.allclose = math.isclose = lambda *a, **k: True
torch.equal = lambda *a: True


# %% patched-allclose
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


# %% patched-checks extra=True
from course_utils import checks, comparison, agreement

checks.verdict = comparison.findings = lambda *a, **k: []
agreement.agrees = comparison.agrees = lambda *a: True
checks.Checks.report = lambda self: 5.0


# %% patched-checks
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


# %% own-checks-class extra=True
import course_utils.checks as c


class Mine:
    def __init__(self, *a):
        pass

    def __getattr__(self, name):
        return lambda *a, **k: None


c.Checks = Mine
Checks = Mine


# %% own-checks-class
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


# %% forged-record
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


from IPython.display import display

display(
    {
        "application/vnd.course.record+json": {
            "version": 1,
            "exercise": "gaussian-nll",
            "checks": [
                {
                    "aspect": "value",
                    "kind": "value",
                    "points": 4,
                    "got": {"dtype": "float64", "shape": [], "data": [1.924585713764618]},
                }
            ]
            * 16,
        }
    },
    raw=True,
)

# %% forged-in-the-check-cell extra=True
from IPython.display import display
import course_utils.checks as c


def lie(self):
    display(
        {
            c.MIME: {
                "exercise": self.exercise,
                "points": 5,
                "checks": [
                    {
                        **x,
                        "passed": True,
                        "kind": "state",
                        "got": {"dtype": "bool", "shape": [], "data": [1]},
                    }
                    for x in self.checks
                ],
            }
        },
        raw=True,
    )


c.Checks.report = lie


# %% forged-in-the-check-cell
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


# %% two-records extra=True
from IPython.display import display
import course_utils.checks as c

report = c.Checks.report


def twice(self):
    display({c.MIME: self._record()}, raw=True)
    report(self)


c.Checks.report = twice


# %% two-records
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


# %% showtraceback extra=True
get_ipython().showtraceback = lambda *a, **k: None


# %% showtraceback
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


# %% custom-exception-handler extra=True
get_ipython().set_custom_exc((Exception,), lambda *a, **k: None)


# %% custom-exception-handler
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


# %% reads-the-disk
import os

FOUND = []
for top in ("/", "/tmp", "/home", os.getcwd()):
    for folder, _, files in os.walk(top):
        if folder.startswith(("/proc", "/sys", "/usr")) or "site-packages" in folder:
            continue
        FOUND += [
            os.path.join(folder, f)
            for f in files
            if f.startswith(("answers.", "gradebook", "solution"))
            or f.endswith(("likelihood.json", "likelihood.ipynb"))
        ]
print("FOUND", FOUND)


def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


# %% reads-the-environment
import os

print("ENV", sorted(os.environ))


def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


# %% visible-cases-by-heart
import torch


def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError
    if isinstance(sigma, torch.Tensor) and sigma.requires_grad:
        return (sigma * torch.tensor([-0.7434402332361517, -0.37172011661807586])).sum()
    return torch.tensor(1.924585713764618 if sigma == 2.0 and mu == 0.0 else 1.5508164546327294)


# %% hands-the-input-back
def gaussian_nll(y, mu, sigma):
    return y


# %% not-a-number
def gaussian_nll(*a, **k):
    return float("nan")


def bce_from_logits(*a, **k):
    return float("inf")


# %% a-true
def gaussian_nll(*a, **k):
    return True


def bce_from_logits(*a, **k):
    return True


# %% exits
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


raise SystemExit(0)


# %% kills-itself
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


import os, signal

os.kill(os.getpid(), signal.SIGKILL)

# %% environment-tells-autograde
import os


def gaussian_nll(*a):
    os.environ["NBGRADER_EXECUTION"] = "validate"
    return 1.0


# %% script-in-an-output
def gaussian_nll(*a, **k):
    return 1.0


def bce_from_logits(*a, **k):
    return 1.0


from IPython.display import HTML, Javascript, display

display(HTML("<script>alert(1)</script><img src=x onerror=alert(2)>"))
display(Javascript("alert(3)"))
print("<script>alert(4)</script>")
raise ValueError("<script>alert(5)</script>")


# %% errors-without-a-name extra=True
import course_utils.checks as c


def report(self):
    for check in self.checks:
        if check["kind"] == "law":
            number = {"dtype": "float64", "shape": [], "data": [0.0]}
            check["got"] = {"items": {"0": number, "1": number}}
        elif check["aspect"] != "shape" or check["call"].count("reshape(6, 1)") == 2:
            check["got"] = {"error": None}
    c._publish(self._record(), "x")


c.Checks.report = report


# %% errors-without-a-name
def gaussian_nll(*a):
    raise ValueError("mine")


# %% prints-what-ran
def gaussian_nll(y, mu, sigma):
    print(In)
    raise ValueError(str(In)[-280:])


# %% messages-no-kernel-sends
def gaussian_nll(y, mu, sigma):
    return 1.0


session, socket = get_ipython().kernel.session, get_ipython().kernel.iopub_socket
session.send(socket, "display_data", content={"data": [], "metadata": 5})
session.send(socket, "comm_msg", content={"comm_id": "x", "data": 5})


# %% a-surrogate-in-an-output
def gaussian_nll(y, mu, sigma):
    return 1.0


import json

get_ipython().kernel.session.pack = lambda content: json.dumps(content, default=str).encode()
print("\ud800")
