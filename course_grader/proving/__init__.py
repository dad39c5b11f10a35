"""Right answers pass, wrong ones and mutants fail, before a student ever meets a check.

May import project and what stands above: authoring, intake, execution, judging.
"""

__all__ = []
