"""Sphinx, called from here with all its settings; a warning of its is an error of ours."""

__all__ = ["run_sphinx"]

import io
import os
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.console import strip_escape_sequences
from sphinx.util.docutils import docutils_namespace, patch_docutils

from course_grader.project.course import CourseError
from course_grader.site import extension

# The theme's own parts, and ours behind its list of pages: a page that is no document of Sphinx's.
SIDEBAR = ["brand", "search", "scroll-start", "navigation", "playground", "scroll-end"]

SETTINGS = {
    "project": "Probabilistic machine learning",
    "html_title": "Probabilistic machine learning",
    "language": "en",
    "extensions": ["myst_nb", extension.__name__],
    "html_theme": "furo",
    "templates_path": [str(Path(__file__).parent / "templates")],
    "html_sidebars": {"**": [f"sidebar/{part}.html" for part in SIDEBAR]},
    "html_css_files": ["site.css"],
    "html_js_files": [("sliders.js", {"defer": "defer"}), ("predictions.js", {"defer": "defer"})],
    "html_math_renderer": "mathml",
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_search_summary": False,  # it would fetch pages, which file:// refuses
    "html_show_copyright": False,
    "html_show_sphinx": False,
    "html_permalinks": False,
    "html_use_index": False,
    "nb_execution_mode": "off",
    "nb_merge_streams": True,
    "nb_code_prompt_show": "Show the code",
    "nb_code_prompt_hide": "Hide the code",
    "myst_enable_extensions": ["dollarmath", "amsmath"],
    "myst_heading_anchors": 4,
    "suppress_warnings": ["myst.header"],
}


def run_sphinx(source: Path, target: Path, *, static: Path, extra: Path) -> None:
    """Build the site from its sources.

    Parameters
    ----------
    source, target : Path
        Folders: sources, and what becomes the site.
    static, extra : Path
        Folders copied to _static/, and to the top.

    Raises
    ------
    CourseError
        If Sphinx warns, as it does of a link that leads nowhere; the message holds its words.
    """
    heard = io.StringIO()
    settings = SETTINGS | {"html_static_path": [str(static)], "html_extra_path": [str(extra)]}
    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            source,
            None,
            target,
            source.parent / "doctrees",
            "html",
            settings,
            status=None,
            warning=heard,
            parallel=os.cpu_count() or 1,
        )
        app.build()
    if warned := strip_escape_sequences(heard.getvalue()).strip():
        raise CourseError(f"Sphinx warns, so there is no site:\n{warned}")
