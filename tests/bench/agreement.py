"""Whether the programs did the same work: every trial is there, and final test accuracies agree.

All start from the same weights and see the same minibatches, so that a trial ends the same but for rounding. At large
learning rates training is chaotic and rounding decides, so single trials may differ; means and most trials may not.
"""

from statistics import mean

# A cell (a point without its seed) counts as converging where phasegrid's mean over seeds reaches this.
CONVERGING = 0.8
# Largest difference from phasegrid of the mean test accuracy over all trials, and over those of converging cells.
TOLERANCE_ALL = 0.01
TOLERANCE_CONVERGING = 0.015
# A trial is equal to phasegrid's if its test accuracy differs by no more than this; this share of trials must be.
EQUAL = 0.01
SHARE_EQUAL = 0.7
# Over fewer trials than this the tolerances grow as the error of a mean does; far fewer say nothing.
FEW = 100
TOO_FEW = 20


def converging(reference):
    """The keys of the trials in converging cells."""
    cells = {}
    for key, accuracy in reference.items():
        cells.setdefault(key[:-1], []).append(accuracy)
    return {key for key in reference if mean(cells[key[:-1]]) >= CONVERGING}


def average(accuracies, trials):
    """Mean accuracy over these trials; 0 over none."""
    return mean([accuracies[key] for key in trials if key in accuracies] or [0])


def share_equal(accuracies, reference):
    """Share of the reference's trials that ended the same."""
    return mean(abs(accuracies.get(key, 2) - accuracy) <= EQUAL for key, accuracy in reference.items())


def disagreements(points, reference, runs):
    """Sentences about each run that did other work than `reference` (phasegrid's accuracies)."""
    chosen = converging(reference)
    checks = [("over all trials", set(reference), TOLERANCE_ALL), ("over converging trials", chosen, TOLERANCE_CONVERGING)]
    keys, found = {point.key for point in points}, []
    for run in runs:
        if set(run.accuracies) != keys:
            found.append(f"{run.program}: {len(set(run.accuracies) & keys)} of {len(keys)} trials have results")
            continue
        equal = share_equal(run.accuracies, reference)
        if equal < SHARE_EQUAL:
            found.append(f"{run.program}: only {equal:.0%} of the trials end with phasegrid's test accuracy")
        for name, trials, tolerance in checks:
            tolerance *= max(1, (FEW / max(len(trials), 1)) ** 0.5)
            own, theirs = average(reference, trials), average(run.accuracies, trials)
            if len(trials) >= TOO_FEW and abs(own - theirs) > tolerance:
                found.append(f"{run.program}: mean test accuracy {name} is {theirs:.4f}, phasegrid's is {own:.4f}: "
                             f"more than {tolerance:.3f} apart")
    return found
