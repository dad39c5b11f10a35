"""The device is the one asked for or an error; generators leave global state alone."""

import numpy as np
import pytest
import torch

from course_utils.device import numpy_rng, one_thread, pick_device, torch_generator


@pytest.fixture
def machine(monkeypatch):
    """Pretend that torch finds these devices beside the CPU."""

    def has(*names):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in names)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in names)

    monkeypatch.delenv("COURSE_DEVICE", raising=False)
    return has


@pytest.mark.parametrize(
    ("present", "taken"),
    [((), "cpu"), (("cuda",), "cuda"), (("mps",), "cpu"), (("cuda", "mps"), "cuda")],
)
def test_without_a_wish_a_gpu_is_taken_and_mps_is_not(machine, present, taken):
    machine(*present)
    assert pick_device() == torch.device(taken)


@pytest.mark.parametrize("name", ["cpu", "cuda", "mps"])
def test_a_wish_that_can_be_met_is_met(machine, monkeypatch, name):
    machine("cuda", "mps")
    monkeypatch.setenv("COURSE_DEVICE", name)
    assert pick_device() == torch.device(name)


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_an_absent_device_is_an_error_that_says_what_there_is(machine, monkeypatch, name):
    machine()
    monkeypatch.setenv("COURSE_DEVICE", name)
    with pytest.raises(RuntimeError, match=rf"asks for {name}.*finds only cpu.*Unset"):
        pick_device()


def test_an_unknown_device_is_an_error_that_lists_the_choices(machine, monkeypatch):
    machine("cuda")
    monkeypatch.setenv("COURSE_DEVICE", "gpu")
    with pytest.raises(ValueError, match="'gpu'.*cpu, cuda, mps"):
        pick_device()


def test_an_empty_wish_is_no_wish(machine, monkeypatch):
    machine()
    monkeypatch.setenv("COURSE_DEVICE", "")
    assert pick_device() == torch.device("cpu")


def torch_draws(seed):
    return torch.randn(50, generator=torch_generator(seed)).numpy()


def numpy_draws(seed):
    return numpy_rng(seed).standard_normal(50)


@pytest.mark.parametrize("draws", [torch_draws, numpy_draws])
def test_equal_seeds_repeat_and_others_differ(draws):
    assert np.array_equal(draws(3), draws(np.int64(3)))
    assert not np.isclose(draws(3), draws(4)).any()


@pytest.mark.parametrize("draws", [torch_draws, numpy_draws])
def test_no_global_generator_moves(draws):
    before = torch.get_rng_state(), np.random.get_state()
    draws(0)
    assert torch.equal(before[0], torch.get_rng_state())
    after = np.random.get_state()
    assert np.array_equal(before[1][1], after[1]) and before[1][2:] == after[2:]


@pytest.mark.parametrize("make", [torch_generator, numpy_rng])
@pytest.mark.parametrize("seed", [None, -1, 1.0, True, "0"])
def test_a_seed_that_repeats_nothing_is_refused(make, seed):
    with pytest.raises(ValueError, match="seed must be an integer"):
        make(seed)


def test_one_thread_means_one():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        one_thread()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
