"""What the recorder kept, as HTML that moves and answers without a kernel."""

__all__ = ["as_html"]

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from course_grader.site import recorder

FIGURE = """\
<figure class="sliders" data-frames="{folder}">
<img src="{folder}/{at}.webp" alt="{alt}" width="{width}" height="{height}">
<div class="tracks">{tracks}</div>
<p class="told" role="status"></p>
<figcaption>{note}</figcaption>
<script type="application/json">{facts}</script>
</figure>"""
TRACK = """\
<label><span>{label}</span> <input type="range" min="0" max="{last}" step="1" value="{start}"
 data-values="{values}" aria-valuetext="{value}"> <output>{value}</output></label>"""
FORM = """\
<form class="prediction" data-name="{name}" data-kind="{kind}">
<fieldset><legend>{ask}</legend>{field}
<button type="submit">Commit</button></fieldset><p class="told" role="status"></p></form>"""
CHOICE = '<label><input type="radio" name="{name}" value="{value}"> {value}</label>'
NUMBER = '<label>A number <input type="text" inputmode="text" autocomplete="off"></label>'
WORDS = '<label>In your own words <textarea rows="5"></textarea></label>'
REVEAL = """\
<p class="reveal" data-name="{name}" data-facts="{facts}">The answer is {answer}.
No prediction was kept for this question.</p>"""


def as_html(data: Mapping[str, Any], frames: str) -> str | None:
    """Return HTML for an output's data, or None if the recorder did not make it.

    Parameters
    ----------
    data : dict
        {MIME type: content}.
    frames : str
        Where the lesson's frames lie, seen from its page.
    """
    if recorder.SLIDER in data:
        return _figure(data[recorder.SLIDER], frames)
    if recorder.PREDICT in data:
        return _form(data[recorder.PREDICT])
    if recorder.REVEAL in data:
        return _reveal(data[recorder.REVEAL])
    return None


def _figure(facts, frames):
    sliders, at = facts["sliders"], 0
    for slider in sliders:
        at = at * len(slider["values"]) + slider["start"]
    drawn = next(place for place in (at, *range(len(facts["frames"]))) if _has(facts, place))
    words = {"frames": facts["frames"]}
    width, height = facts["size"]
    return FIGURE.format(
        folder=f"{frames}/{facts['figure']}",
        at=drawn,
        alt=_quoted(facts["frames"][drawn]["alt"]),
        width=width,
        height=height,
        tracks="".join(map(_track, sliders)),
        note=_note(sliders),
        facts=json.dumps(words, ensure_ascii=False).replace("</", "<\\/"),
    )


def _has(facts, place):
    return "alt" in facts["frames"][place]


def _track(slider):
    values = [f"{value:.6g}" for value in slider["values"]]
    return TRACK.format(
        label=escape(slider["label"]),
        last=len(values) - 1,
        start=slider["start"],
        values=_quoted(json.dumps(values)),
        value=values[slider["start"]],
    )


def _note(sliders):
    """Say where a slider has fewer positions than in the lesson."""
    fewer = [one for one in sliders if len(one["values"]) < one["all"]]
    parts = [f"{escape(one['label'])} {len(one['values'])} of {one['all']}" for one in fewer]
    return f"Positions here: {', '.join(parts)}; JupyterLab has all." if parts else ""


def _form(facts):
    name = _quoted(facts["name"])
    choices = [CHOICE.format(name=name, value=_quoted(one)) for one in facts["choices"]]
    fields = {"choice": "".join(choices), "number": NUMBER, "words": WORDS}
    ask, kind = escape(facts["ask"]), facts["kind"]
    return FORM.format(name=name, kind=kind, ask=ask, field=fields[kind])


def _reveal(facts):
    answer = escape(f"{facts['shown']} {facts['unit']}".rstrip())
    kept = _quoted(json.dumps(facts, ensure_ascii=False))
    return REVEAL.format(name=_quoted(facts["name"]), facts=kept, answer=answer)


def _quoted(text):
    return escape(text, quote=True)
