"""A learner's working copy in a real JupyterLab, used through headless Chromium."""

import json

import pytest

from course_grader.project.course import PROJECT, units
from course_grader.workspace import prepare_work
from tests.serving import TOKEN, serve

SHOTS = PROJECT / "build" / "screenshots"
SIZE = {"width": 1200, "height": 900}
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


class Lab:
    """A served folder, and the browser's page that looks at it."""

    def __init__(self, root, address, page):
        """Keep what `open` needs; `complaints` are the console's errors."""
        self.root, self.address, self.page, self.complaints = root, address, page, []
        page.on("console", lambda line: self._hear(line.type, line.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))

    def _hear(self, kind, words):
        if kind == "error":
            self.complaints.append(words)

    def open(self, path):
        """Open a notebook alone, and wait until its kernel is idle.

        JupyterLab, which takes long to load, is loaded once; as for somebody who goes from one
        notebook to the next.
        """
        if self.page.url.startswith(self.address):
            self.page.evaluate(ALONE, path)
        else:
            self.page.goto(f"{self.address}/lab/tree/{path}?reset&token={TOKEN}", timeout=60_000)
        self.page.wait_for_function(OPEN, arg=path, timeout=90_000, polling=NOW_AND_THEN)
        self.page.wait_for_function(IDLE, timeout=90_000, polling=NOW_AND_THEN)

    def close(self):
        """Close every notebook as it is, unsaved, and end its kernel."""
        self.page.evaluate(CLOSE)
        self.page.set_viewport_size(SIZE)
        self.complaints.clear()

    def run_all(self):
        """Run every cell; return when the last has ended, or one has stopped the others."""
        self._run_until_done("notebook:run-all-cells", "cells => cells")

    def run_cell(self):
        """Run the active cell; return when it has ended."""
        self._run_until_done("notebook:run-cell", "(cells, active) => [active]")

    def _run_until_done(self, command, chosen):
        """A kernel is idle for a moment between two cells, too: what counts is who has run."""
        self.page.evaluate(FORGET.format(chosen=chosen))
        self.run(command)
        self.page.wait_for_function(
            DONE.format(chosen=chosen), timeout=120_000, polling=NOW_AND_THEN
        )
        self.page.wait_for_function(IDLE, timeout=120_000, polling=NOW_AND_THEN)

    def settle(self):
        """Wait until the kernel has nothing to do, and the page shows it."""
        self.page.wait_for_timeout(300)
        self.page.wait_for_function(IDLE, timeout=20_000, polling=NOW_AND_THEN)

    def run(self, command):
        """Run one of JupyterLab's commands."""
        self.page.evaluate("c => window.jupyterapp.commands.execute(c)", command)

    def choose(self, key):
        """Make the cell with this id the active one."""
        self.page.evaluate(CHOOSE, key)

    def cells(self):
        """Return the notebook as it stands in the browser."""
        return self.page.evaluate(f"() => {CURRENT}.content.model.toJSON()")["cells"]

    def shoot(self, name):
        """Keep a screenshot among the build's artefacts."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


NOW_AND_THEN = 100  # milliseconds; asked at each frame, the page would be busy with answers
CURRENT = "window.jupyterapp?.shell?.currentWidget"
CHOOSE = f"""
key => {{
    const notebook = {CURRENT}.content;
    notebook.activeCellIndex = notebook.widgets.findIndex(cell => cell.model.id == key);
}}
"""
CODE = f"{CURRENT}.content.widgets.map(one => one.model).filter(one => one.type == 'code')"
DUE = f"({{chosen}})({CODE}, {CURRENT}.content.activeCell.model)"
FORGET = f"() => {DUE}.forEach(cell => {{{{ cell.executionCount = null; }}}})"
DONE = f"""
() => {{{{
    const ran = cell => cell.executionCount != null;
    const stops = cell => !cell.getMetadata('tags')?.includes('raises-exception')
        && cell.toJSON().outputs.some(one => one.output_type == 'error');
    const due = {DUE}.filter(cell => cell.sharedModel.source.trim());
    return due.every(ran) || due.some(cell => ran(cell) && stops(cell));
}}}}
"""
OPEN = f"path => {CURRENT}?.context?.path == path"
ALONE = """
async path => {
    // where all is closed, a launcher stands
    const others = [...window.jupyterapp.shell.widgets('main')];
    await window.jupyterapp.commands.execute('docmanager:open', {path});
    others.forEach(widget => widget.close());
}
"""
CLOSE = """
async () => {
    for (const widget of [...window.jupyterapp.shell.widgets('main')]) {
        if (widget.context) widget.context.model.dirty = false;
        widget.close();
    }
    await window.jupyterapp.serviceManager.sessions.shutdownAll();
}
"""
IDLE = f"() => {CURRENT}?.sessionContext?.session?.kernel?.status == 'idle'"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Serve a learner's working copy, made as `make lab` makes it."""
    project = with_work(tmp_path_factory.mktemp("lab"))
    with serve_work(project) as address:
        yield project / "work", address


def with_work(project):
    """Make a folder a project whose work/ is whole, as `make lab` makes it."""
    for tree in ("notebooks", "release", "solutions", "source", "docs"):
        (project / tree).symlink_to(PROJECT / tree)
    prepare_work(units(), project=project, say=lambda words: None)
    return project


def serve_work(project, **variables):
    """Serve a project's work/ in JupyterLab, with settings that tests need."""
    settings = project / "settings" / "@jupyterlab"
    for name, values in SETTINGS.items():
        path = settings / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    places = variables | {
        "JUPYTERLAB_SETTINGS_DIR": str(project / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(project / "workspaces"),
    }
    exposed = "--LabApp.expose_app_in_browser=True"
    return serve("jupyterlab", project / "work", exposed, **places)


@pytest.fixture(scope="module")
def loaded(served, chromium):
    """JupyterLab on a learner's working copy, in a page of its own."""
    context = chromium.new_context(viewport=SIZE)
    yield Lab(*served, context.new_page())
    context.close()


@pytest.fixture
def lab(loaded):
    """JupyterLab with nothing open."""
    yield loaded
    loaded.close()
