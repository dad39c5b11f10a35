"""What PyTorch imports only when it is first needed: seconds, once a process, or in each child."""

__all__ = ["slow_imports"]

from course_grader.hooks.torch import COMPILER, SHAPES

# A word of the source, and what its first call imports; the compiler's holds the shapes', too.
NEEDED_BY = {
    "torch.optim": COMPILER,  # an optimiser's first step
    "torch.func": COMPILER,
    "broadcast_shapes": SHAPES,
    "MultivariateNormal": SHAPES,
    "vectorize=True": SHAPES,
}


def slow_imports(text: str) -> list[str]:
    """Return the modules, sorted, that a source needs and that most do not: import them early."""
    return sorted({hook.place for word, hook in NEEDED_BY.items() if word in text})
