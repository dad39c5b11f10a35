"""The benchmarks say what they cannot do, and name what fails."""

import importlib.util
import subprocess
import sys

import pytest
import torch

from course_grader.project.course import PROJECT


@pytest.fixture
def gpu():
    """The module benchmarks/gpu.py."""
    spec = importlib.util.spec_from_file_location("gpu", PROJECT / "benchmarks" / "gpu.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_refuses(gpu, capsys):
    assert gpu.main([]) == 2
    assert "No GPU" in capsys.readouterr().out


def test_a_notebook_that_fails_on_the_gpu_alone_is_named(gpu, capsys, monkeypatch):
    outcomes = {"cpu": (1.5, ""), "cuda": (0.5, "AssertionError: off")}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    monkeypatch.setattr(gpu, "_run", lambda path, device: outcomes[device])
    assert gpu.main(["--unit", "01"]) == 1
    shown = capsys.readouterr().out
    assert "1.5" in shown and "FAILED on cuda" in shown and "AssertionError: off" in shown


def test_the_device_decides_what_a_run_computes_on(gpu, tmp_path):
    path = tmp_path / "one.ipynb"
    cell = '{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "id": '
    source = '"a", "source": "import os; assert os.environ[\'COURSE_DEVICE\'] == \'cpu\'"}'
    path.write_text(
        '{"cells": [' + cell + source + '], "metadata": {"kernelspec": {"name": "python3", '
        '"display_name": "Python 3"}}, "nbformat": 4, "nbformat_minor": 5}'
    )
    assert gpu._run(path, "cpu")[1] == ""
    assert "failed" in gpu._run(path, "cuda")[1]


@pytest.mark.parametrize("name", ["forecasting", "gpu", "grading", "growth", "models"])
def test_each_explains_itself(name):
    path = PROJECT / "benchmarks" / f"{name}.py"
    done = subprocess.run([sys.executable, str(path), "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "usage" in done.stdout


def test_a_small_class_is_graded_in_parts(bubblewrap):
    """What it says of so few is noise; that it comes to its table is what is tested."""
    path = PROJECT / "benchmarks" / "growth.py"
    words = [sys.executable, str(path), "--submissions", "20", "--distinct", "2"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert "20 submissions, 2 distinct, into SQLite" in done.stdout
    table = done.stdout.split("MiB")[1].split()
    assert table[::3] == [str(part) for part in range(1, 11)]
    assert done.returncode == 0 or "the last part is slower" in done.stderr
