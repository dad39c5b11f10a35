"""Device, random generators and threads: what a notebook settles once, in its setup cell."""

__all__ = ["numpy_rng", "one_thread", "pick_device", "torch_generator"]

import os

import numpy as np
import torch

CHOICES = ("cpu", "cuda", "mps")


def pick_device() -> torch.device:
    """Return the device that the notebook computes on.

    COURSE_DEVICE, set to cpu, cuda or mps, decides. Without it: cuda where a GPU is there, else
    cpu. mps is used only on request, because it has no float64.

    Returns
    -------
    device : torch.device

    Raises
    ------
    ValueError
        COURSE_DEVICE is none of the three names.
    RuntimeError
        The device asked for is not there; nothing else is taken in its place.

    Examples
    --------
    >>> pick_device().type in ("cpu", "cuda", "mps")
    True
    """
    asked = os.environ.get("COURSE_DEVICE", "").strip().lower()
    present = _present()
    if not asked:
        return torch.device("cuda" if "cuda" in present else "cpu")
    if asked not in CHOICES:
        raise ValueError(f"COURSE_DEVICE is {asked!r}; choose one of {', '.join(CHOICES)}")
    if asked not in present:
        raise RuntimeError(
            f"COURSE_DEVICE asks for {asked}, but torch {torch.__version__} finds only "
            f"{', '.join(present)} here. Unset COURSE_DEVICE, set it to one of these, or install "
            f"a torch build with {asked} support."
        )
    return torch.device(asked)


def torch_generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a new torch generator that starts at `seed`; torch's global state stays as it is.

    Parameters
    ----------
    seed : int, 0 or larger
    device : torch.device or str
        The device whose draws it makes. Equal seeds give other numbers on another device.

    Returns
    -------
    generator : torch.Generator

    Examples
    --------
    >>> a, b = (torch.rand(3, generator=torch_generator(0)) for _ in range(2))
    >>> torch.equal(a, b)
    True
    """
    return torch.Generator(device=device).manual_seed(_checked(seed))


def numpy_rng(seed: int) -> np.random.Generator:
    """Return a new NumPy generator that starts at `seed`; NumPy's global state stays as it is.

    Parameters
    ----------
    seed : int, 0 or larger

    Returns
    -------
    rng : numpy.random.Generator

    Examples
    --------
    >>> bool(numpy_rng(0).random() == numpy_rng(0).random())
    True
    """
    return np.random.default_rng(_checked(seed))


def one_thread() -> None:
    """Let torch compute on one thread: for small models more threads are slower, never faster."""
    torch.set_num_threads(1)


def _present() -> tuple[str, ...]:
    """Names of the devices that torch finds here, cpu first."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ("cpu", *(name for name, there in found.items() if there))


def _checked(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed must be an integer, 0 or larger; got {seed!r}")
    return int(seed)
