"""The digits are all there, split at random, and turn as an image should."""

import numpy as np
from sklearn.datasets import load_digits

from course_utils.digits import digits, rotated


def test_digits_are_split_at_random_without_loss():
    images, labels, test_images, test_labels = digits(rng=np.random.default_rng(3))
    assert images.shape == (1198, 8, 8) and test_images.shape == (599, 8, 8)
    assert images.dtype == np.float32 and labels.dtype == np.int64
    whole = load_digits()
    rows = sorted(np.concatenate([images, test_images]).reshape(1797, 64).tolist())
    assert rows == sorted((whole.data / 16).astype(np.float32).tolist())
    counts = np.bincount(np.concatenate([labels, test_labels]))
    assert np.array_equal(counts, np.bincount(whole.target))
    other = digits(rng=np.random.default_rng(4))[1]
    assert not np.array_equal(labels, other)


def test_rotated_images_keep_shape_range_and_turn_counter_clockwise():
    images = digits(rng=np.random.default_rng(3))[0][:20]
    turned = rotated(images, 30)
    assert turned.shape == images.shape and turned.dtype == images.dtype
    assert turned.min() >= 0 and turned.max() <= images.max()
    assert np.allclose(rotated(images, 0), images, atol=1e-6)
    assert np.allclose(rotated(images, 90), np.rot90(images, axes=(1, 2)), atol=1e-5)


def test_a_small_turn_keeps_the_ink_at_the_border():
    images = digits(rng=np.random.default_rng(3))[0][:200]
    assert rotated(images, 5).sum() > 0.97 * images.sum()
