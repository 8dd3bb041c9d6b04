"""Whether the programs did the same work: every trial is there, and mean final test accuracies agree."""

from statistics import mean

# A cell (a point without its seed) counts as converging where phasegrid's mean over seeds reaches this.
CONVERGING = 0.8
# Largest difference from phasegrid of the mean test accuracy over all trials, and over those of converging cells. The
# programs draw their initial weights and minibatches from different streams of the same distributions.
TOLERANCE_ALL = 0.02
TOLERANCE_CONVERGING = 0.01
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


def disagreements(points, reference, runs):
    """Sentences about each run that did other work than `reference` (phasegrid's accuracies)."""
    chosen = converging(reference)
    checks = [("over all trials", set(reference), TOLERANCE_ALL), ("over converging trials", chosen, TOLERANCE_CONVERGING)]
    keys, found = {point.key for point in points}, []
    for run in runs:
        if set(run.accuracies) != keys:
            found.append(f"{run.program}: {len(set(run.accuracies) & keys)} of {len(keys)} trials have results")
            continue
        for name, trials, tolerance in checks:
            tolerance *= max(1, (FEW / max(len(trials), 1)) ** 0.5)
            own, theirs = average(reference, trials), average(run.accuracies, trials)
            if len(trials) >= TOO_FEW and abs(own - theirs) > tolerance:
                found.append(f"{run.program}: mean test accuracy {name} is {theirs:.4f}, phasegrid's is {own:.4f}: "
                             f"more than {tolerance:.3f} apart")
    return found
