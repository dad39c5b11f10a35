"""The training loop minimises, records every loss, and stops where a loss stops being a number."""

import itertools
import math

import numpy as np
import pytest
import torch

from course_utils.training import fit


def straight_line():
    """Noisy line, parameters and their squared-error loss."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, generator=generator, dtype=torch.float64)
    y = 2 * x - 1 + 0.3 * torch.randn(60, generator=generator, dtype=torch.float64)
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    return x, y, w, lambda: ((w[0] * x + w[1] - y) ** 2).mean()


def test_reaches_the_least_squares_solution():
    x, y, w, loss = straight_line()
    history = fit(loss, torch.optim.SGD([w], lr=0.3), steps=200, progress=False)
    design = np.column_stack([x, np.ones(len(x))])
    best, squares, *_ = np.linalg.lstsq(design, y.numpy(), rcond=None)
    assert np.allclose(w.detach(), best)
    assert history[-1] == pytest.approx(squares[0] / len(x))
    assert np.all(np.diff(history) <= 1e-12)


@pytest.mark.parametrize(("decay", "rates"), [(False, [0.4] * 4), (True, [0.4, 0.3, 0.2, 0.1])])
def test_the_rate_stays_or_falls_to_zero(decay, rates):
    w, seen = torch.zeros(1, requires_grad=True), []
    sgd = torch.optim.SGD([w], lr=0.4)

    def loss():
        seen.append(sgd.param_groups[0]["lr"])
        return w.sum()

    fit(loss, sgd, steps=4, decay=decay, progress=False)
    assert seen == pytest.approx(rates) and w.item() == pytest.approx(-sum(rates))


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_one_call_and_one_entry_per_step(steps):
    calls = []
    w = torch.ones(1, requires_grad=True)

    def loss():
        calls.append(w.item())
        return w.sum()

    history = fit(loss, torch.optim.SGD([w], lr=0.5), steps=steps, progress=False)
    assert history.shape == (steps,) and history.dtype == np.float64
    assert history.tolist() == calls == [1 - 0.5 * k for k in range(steps)]


def test_old_gradients_do_not_leak_into_the_first_step():
    w = torch.ones(1, requires_grad=True)
    w.grad = torch.full((1,), 100.0)
    fit(lambda: w.sum(), torch.optim.SGD([w], lr=0.5), steps=1, progress=False)
    assert w.item() == 0.5


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_stops_before_the_update(bad):
    w = torch.ones(1, requires_grad=True)
    values = iter([1.0, 2.5, bad, 1.0])

    def loss():  # slope 1, whatever the value
        return (w - w.detach()).sum() + next(values)

    with pytest.raises(FloatingPointError, match=f"loss is {bad} at step 2; .* it was 2.5"):
        fit(loss, torch.optim.SGD([w], lr=0.1), steps=4, progress=False)
    assert w.item() == pytest.approx(0.8)


def test_a_bad_first_loss_names_step_zero_and_no_earlier_value():
    w = torch.zeros(1, requires_grad=True)
    with pytest.raises(FloatingPointError, match=r"loss is -inf at step 0\. Usual"):
        fit(lambda: w.log().sum(), torch.optim.SGD([w], lr=0.1), steps=3, progress=False)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda w: None, "one element; got NoneType"),
        (lambda w: w.sum().item(), "one element; got float"),
        (lambda w: w**2, r"one element; got Tensor of shape \(3,\)"),
        (lambda w: w.detach().sum(), "without gradient"),
    ],
)
def test_something_other_than_a_scalar_loss_is_refused(loss, message):
    w = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match=message):
        fit(lambda: loss(w), torch.optim.SGD([w], lr=0.1), steps=2, progress=False)
    assert torch.equal(w, torch.ones(3))


def test_negative_steps_are_refused():
    with pytest.raises(ValueError, match="got -1"):
        fit(lambda: None, None, steps=-1)


def test_the_bar_changes_nothing_but_what_is_shown(capsys):
    runs = []
    for progress in (True, False):
        _, _, w, loss = straight_line()
        runs.append(fit(loss, torch.optim.Adam([w]), steps=20, progress=progress))
    assert np.array_equal(*runs)
    assert capsys.readouterr().out == ""


def test_a_long_run_shows_its_bar_and_progress_off_shows_none(capsys, monkeypatch):
    clock = itertools.count()  # every look at the clock is a second later
    monkeypatch.setattr("tqdm.std.time", lambda: next(clock))
    shown = []
    for progress in (True, False):
        _, _, w, loss = straight_line()
        fit(loss, torch.optim.Adam([w]), steps=20, progress=progress, title="line")
        heard = capsys.readouterr()
        assert heard.err == ""  # which a notebook shows as if it were an error
        shown.append(heard.out)
    assert "line" in shown[0] and "20" in shown[0]
    assert shown[1] == ""


def test_global_generators_stay_where_they_are():
    before = torch.get_rng_state()
    _, _, w, loss = straight_line()
    fit(loss, torch.optim.Adam([w]), steps=3, progress=False)
    assert torch.equal(before, torch.get_rng_state())
