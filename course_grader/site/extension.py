"""What Sphinx is told: formulas are MathML, and predictions' sections fold."""

__all__ = ["setup"]

from typing import Any

from docutils import nodes

from course_grader.gradebook.formulas import mathml
from course_grader.site.folds import fold_sections

WIDE = 30  # characters of TeX from which a formula in a line may be wider than a phone


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx; called by it."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("doctree-read", fold_sections)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer, node):
    shown = mathml(node.astext())
    wide = len(node.astext()) > WIDE
    writer.body.append(f'<span class="math-wide">{shown}</span>' if wide else shown)
    raise nodes.SkipNode


def _block(writer, node):
    shown = mathml(node.astext().strip(), display="block")
    writer.body.append(f'<div class="math-box">{shown}</div>\n')
    raise nodes.SkipNode
