"""What tests and `make test-site` do with a page of the site, in a browser that is offline."""

__all__ = ["FRAME_READY", "Visitor", "move", "overflow"]

FRAME_READY = "image => image.complete && image.naturalWidth > 0"
# What sticks out of the page to the right, boxes that scroll by themselves aside.
# (The theme cuts off what is too wide, so the width of the document tells nothing.)
OVERFLOW = """
() => {
    const scrolls = (one) => ["auto", "scroll"].includes(getComputedStyle(one).overflowX);
    const boxed = (one) => one.tagName != "ARTICLE" && (scrolls(one) || boxed(one.parentElement));
    return [...document.querySelectorAll("article *")]
        .filter((one) => one.getClientRects().length && !boxed(one.parentElement))
        .map((one) => [one.tagName, one.className, one.getBoundingClientRect().right - innerWidth])
        .filter(([name, kind, by]) => by > 0.5)
        .map(([name, kind, by]) => `${name}.${kind} by ${by.toFixed()} pixels`);
}
"""
CHANGED = "([image, before]) => image.src != before && image.complete && image.naturalWidth > 0"


class Visitor:
    """A reader's page; whatever is not a file or of this machine is refused and noted."""

    def __init__(self, chromium, **options):
        """Open a page; `complaints` are the console's errors, refused requests among them."""
        self.context = chromium.new_context(**options)
        self.context.route("**/*", self._let)
        self.complaints = []
        self.page = self.context.new_page()
        self.page.on("console", lambda line: self._hear(line.type, line.text))
        self.page.on("pageerror", lambda error: self._hear("error", str(error)))

    def _let(self, route):
        address = route.request.url
        if address.startswith(("file:", "data:", "blob:", "http://127.0.0.1:")):
            route.continue_()
        else:
            self.complaints.append(f"asked for {address}")
            route.abort()

    def _hear(self, kind, words):
        if kind == "error":
            self.complaints.append(words)

    def open(self, path, anchor=""):
        """Open a file of the site, from disk."""
        self.page.goto(path.resolve().as_uri() + anchor)
        return self.page

    def close(self):
        """Forget the page, and what it kept."""
        self.context.close()


def move(page, figure, track):
    """Move one slider of a figure by keyboard; return the frame before and after as images."""
    image = figure.locator("img")
    before, picture = image.get_attribute("src"), image.screenshot()
    at_end = track.input_value() == track.get_attribute("max")
    track.focus()
    track.press("ArrowLeft" if at_end else "ArrowRight")
    old = page.evaluate("image => image.ownerDocument.baseURI", image.element_handle())
    address = page.evaluate("([a, b]) => new URL(a, b).href", [before, old])
    page.wait_for_function(CHANGED, arg=[image.element_handle(), address], timeout=3_000)
    return picture, image.screenshot()


def overflow(page):
    """Return what is wider than the window, and by how much."""
    return page.evaluate(OVERFLOW)
