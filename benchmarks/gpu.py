"""Run every notebook on a GPU under nbval, and print its seconds beside the CPU's."""

__all__ = ["main"]

import argparse
import os
import subprocess
import sys
import time

import torch

from course_grader.project.course import PROJECT

DEVICES = ("cpu", "cuda")


def main(arguments=None):
    """Print a line for each notebook; return 1 if one fails, 2 where there is no GPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", default="", help="a unit's number; default: all")
    chosen = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print("No GPU: torch finds none here (torch.cuda.is_available() is False).")
        print("The notebooks run on the CPU too: make test")
        return 2
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, one CPU thread\n")
    print(f"{'notebook':44} {'cpu s':>8} {'cuda s':>8}")
    return max([_line(path) for path in _notebooks(chosen.unit)], default=0)


def _notebooks(unit):
    trees = [PROJECT / "notebooks", PROJECT / "solutions"]
    return [path for tree in trees for path in sorted(tree.glob(f"{unit}*.ipynb"))]


def _line(path):
    """Run one notebook on both devices, print the seconds, return 1 if it fails on either."""
    runs = [_run(path, device) for device in DEVICES]
    seconds = " ".join(f"{spent:8.1f}" for spent, _ in runs)
    failed = [device for device, (_, said) in zip(DEVICES, runs, strict=True) if said]
    print(f"{path.relative_to(PROJECT)!s:44} {seconds}  {'FAILED on ' if failed else ''}", end="")
    print(", ".join(failed), *(said for _, said in runs if said), sep="\n" if failed else "")
    return int(bool(failed))


def _run(path, device):
    """Return (seconds, what pytest said if it failed)."""
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", str(path)]
    setting = {"COURSE_DEVICE": device, "COURSE_PROGRESS": "off", "OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=PROJECT, env=os.environ | setting, capture_output=True, text=True
    )
    return time.perf_counter() - start, done.stdout[-2000:] if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
