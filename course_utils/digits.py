"""The digits data set: small grey images of ten classes, and the same images turned."""

__all__ = ["digits", "rotated"]

import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits


def digits(*, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Split scikit-learn's 1797 images of handwritten digits at random, a third for the test.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    images, labels : float32 array, shape (1198, 8, 8), in [0, 1]; int64 array, shape (1198,)
        For training.
    test_images, test_labels : same, with 599 rows

    Examples
    --------
    >>> images, labels, test_images, test_labels = digits(rng=np.random.default_rng(0))
    >>> images.shape, test_labels.shape, float(images.max())
    ((1198, 8, 8), (599,), 1.0)
    """
    bunch = load_digits()
    order = rng.permutation(len(bunch.target))
    images = (bunch.images[order] / 16).astype(np.float32)
    labels = bunch.target[order].astype(np.int64)
    cut = 2 * len(order) // 3
    return images[:cut], labels[:cut], images[cut:], labels[cut:]


def rotated(images: np.ndarray, degrees: float) -> np.ndarray:
    """Turn images counter-clockwise about their centre, 0 where nothing was.

    Parameters
    ----------
    images : float array, shape (n, height, width)
    degrees : float

    Returns
    -------
    turned : same shape and dtype as images
        Interpolated linearly between pixels, so values stay within those of the images and 0.

    Examples
    --------
    >>> rotated(np.array([[[1.0, 0.0], [0.0, 0.0]]]), 90).round(6).tolist()
    [[[0.0, 0.0], [1.0, 0.0]]]
    """
    around = {"reshape": False, "order": 1, "mode": "grid-constant"}  # keeps ink at the border
    turned: np.ndarray = ndimage.rotate(images, degrees, axes=(2, 1), **around)
    return turned
