"""Frames: one for each position, told in words, never heavier than a page carries."""

import io

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

from course_grader.site import frames
from course_grader.site.frames import save_frames


def draw(x=1.0, noise=0.0):
    if x > 2.5:
        raise ArithmeticError("too far")
    _, ax = plt.subplots(figsize=(2, 1))
    ax.plot([0, x], label=f"line to {x:g}")
    ax.imshow(np.random.default_rng(0).random((90, 90)) * noise)
    ax.set_title(f"x is {x:g}", loc="left")
    ax.legend()


def test_each_position_has_its_frame_and_its_words(tmp_path):
    told = save_frames(draw, {"x": (0.0, 3.0, 1.0, "length")}, tmp_path / "made", 100)
    assert [slider["label"] for slider in told["sliders"]] == ["length"]
    assert told["frames"][2] == {"alt": "x = 2. x is 2. line to 2"}
    assert told["frames"][3] == {"error": "No picture here: ArithmeticError: too far"}
    saved = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert saved == ["0.webp", "1.webp", "2.webp"]
    images = [Image.open(tmp_path / "made" / name) for name in saved]
    assert {image.size for image in images} == {tuple(told["size"])}
    assert not np.array_equal(*(np.asarray(image) for image in images[:2]))
    assert plt.get_fignums() == []


def test_the_same_figure_gives_the_same_bytes_and_white_stays_white(tmp_path):
    for name in "ab":
        save_frames(draw, {"x": (0.0, 1.0, 1.0)}, tmp_path / name, 9)
    first, again = ((tmp_path / name / "0.webp").read_bytes() for name in "ab")
    assert first == again
    assert np.asarray(Image.open(io.BytesIO(first)))[0, 0].tolist() == [255, 255, 255]


def test_a_heavy_figure_gets_fewer_frames(tmp_path, monkeypatch):
    spans = {"noise": (0.0, 1.0, 0.05)}
    whole = save_frames(draw, spans, tmp_path / "whole", 100)
    weight = sum(path.stat().st_size for path in (tmp_path / "whole").iterdir())
    assert len(whole["frames"]) == 21
    monkeypatch.setattr(frames, "HEAVIEST", weight // 2)
    told = save_frames(draw, spans, tmp_path / "fewer", 100)
    light = sum(path.stat().st_size for path in (tmp_path / "fewer").iterdir())
    assert light < weight // 2 and 5 <= len(told["frames"]) < 15
    assert told["sliders"][0]["all"] == 21
