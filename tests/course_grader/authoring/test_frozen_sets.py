"""Since 1.0 the set of exercises of a unit is frozen: gradebooks know it by name and points."""

import pytest

from course_grader.authoring.exercises import read_assignment
from course_grader.project.course import find_unit, units

# In order, those in words last. A change is one of the course's next whole version.
SETS = {
    "00_start": """
        normal-log-density 5
        log-sum-exp 6
        draws-by-inversion 5
        mend-a-broadcast 6
        foretell-shapes 6
        a-density-of-four 3
    """,
    "01_loss_as_likelihood": """
        gaussian-nll 5
        laplace-mle 4
        bce-from-logits 5
        one-of-several-labels 6
        logit-gradient 6
        find-the-bugs 5
        two-reports 3
    """,
    "02_output_distributions": """
        count-density 5
        log-target 5
        two-kinds-of-zero 5
        living-link 4
        ordered-classes 5
        act-or-ask 5
        sequence-density 5
        better-error-worse-model 3
    """,
    "03_entropy_kl": """
        discrete-kl 5
        diagonal-fits 6
        kl-from-draws 5
        prior-smoothing 6
        distillation 6
        text-cost 5
        smoothed-teacher 3
    """,
    "04_map_priors": """
        ridge-from-a-prior 4
        weight-decay-from-a-prior 5
        proximal-step 4
        gaussian-posterior 5
        band-for-a-total 5
        mode-of-what 5
        choose-a-prior 6
        no-prior-at-all 3
    """,
    "05_calibration": """
        ece-closed-edges 5
        base-rate-scores 4
        reliability-table 5
        brier-parts 5
        paired-comparison 5
        fit-temperature 6
        platt-fit 5
        what-an-ece-hides 3
    """,
    "06_uncertainty": """
        raw-output-nll 6
        beta-nll 5
        variance-parts 5
        entropy-parts 5
        band-report 5
        best-from-known 6
        half-as-wide 3
    """,
    "07_mc_dropout": """
        only-dropout 6
        dropout-functions 4
        dropout-moments 5
        band-for-y 4
        passes-needed 4
        mc-log-probabilities 4
        trusted-where-small 3
    """,
    "08_deep_ensembles": """
        mixture-moments 5
        mixture-nll 6
        mixture-quantile 6
        pool-the-votes 6
        members-from-seeds 6
        sub-ensembles 5
        five-that-agree 3
    """,
    "09_bayesian_nets": """
        minibatch-loss 5
        sampled-elbo 5
        best-groups 5
        last-layer 5
        merge-posteriors 4
        laplace-evidence 5
        hmc-step 5
        a-bug-that-scores 3
    """,
    "10_mixtures": """
        density-and-owner 5
        careful-em 6
        holey-loss 5
        given-x 5
        mixture-draws 5
        match-fits 4
        alarm-thresholds 5
        twice-the-alarms 3
    """,
    "11_vae": """
        gaussian-kl 4
        latent-draws 5
        mixed-pixels 5
        linear-elbo 5
        iwae-curve 5
        unit-information 5
        weight-as-noise 3
        silent-latents 3
    """,
    "12_flows": """
        transformed-density 4
        affine-coupling 7
        coupling-stack 5
        autoregressive-draws 5
        log-integral 5
        bits-per-dimension 4
        the-grey-picture 3
    """,
    "13_forecasting": """
        rolling-naive 5
        ar-joint 5
        sampled-paths 5
        quantile-report 5
        total-quantiles 5
        conformal-interval 5
        running-out 5
        one-day-in-three 3
    """,
    "14_scoring_rules": """
        class-scores 5
        rain-crps 5
        energy-score 5
        quantiles-crps 5
        pit-histogram 5
        mean-regret 4
        lead-by-day 5
        a-perfect-report 3
    """,
    "15_capstone": """
        map-weights 5
        test-outputs 5
        nll-report 5
        ensemble-sds 4
        calibration-report 4
        risk-report 4
        card-table 6
        would-you-sign 4
    """,
}


def test_the_units_are_those_of_one_point_zero():
    assert [unit.name for unit in units()] == [*SETS]


@pytest.mark.parametrize("name", SETS)
def test_a_units_exercises_are_those_of_one_point_zero(name):
    master = read_assignment(find_unit(name))
    points = {key: exercise.points for key, exercise in master.exercises.items()}
    points |= {key: cell.roles["points"] for key, cell in master.written.items()}
    frozen = [line.split() for line in SETS[name].strip().splitlines()]
    assert points == {key: int(worth) for key, worth in frozen}
    assert [*points] == [key for key, _ in frozen]
