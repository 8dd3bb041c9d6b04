"""What was compared with what, and where the two differ."""

import numpy as np


class Comparison:
    def __init__(self):
        self.compared, self.differences = {}, []

    def note(self, name):
        """That column was compared."""
        self.compared[name] = self.compared.get(name, 0) + 1

    def differ(self, where, name, stored, computed):
        self.differences.append(f"{where} {name}: stored {stored}, recomputed {computed}")

    def exactly(self, where, name, stored, computed):
        self.note(name)
        if stored != computed:
            self.differ(where, name, stored, computed)

    def of(self, where, name, stored, computed, tolerance):
        """A value that does not exist (0/0) is null in the tables."""
        self.note(name)
        is_defined = bool(np.isfinite(np.asarray(computed, float)).all())
        if stored is None or not is_defined:
            agree = stored is None and not is_defined
        else:
            off = np.abs(np.asarray(stored, float) - np.asarray(computed, float)).max()
            agree = off <= tolerance
        if not agree:
            self.differ(where, name, stored, computed)

    def within(self, where, name, stored, low, high):
        self.note(name)
        if stored is None or not low <= stored <= high:
            self.differ(where, name, stored, (low, high))

    def among(self, where, name, stored, replicates, floor):
        """One draw of a positive quantity among draws of our own: within 5 standard deviations of
        their logarithms' mean, and a floor for the solver's and the counts' steps. Zero and
        infinity are censored values."""
        self.note(name)
        finite = replicates[np.isfinite(replicates) & (replicates > 0)]
        if stored in (0.0, np.inf):
            edge = finite.min() <= 2e-3 if stored == 0.0 and len(finite) else False
            edge = edge or (stored == np.inf and len(finite) > 0 and finite.max() >= 5)
            agree = edge or bool((replicates == stored).any())
        elif len(finite) < 2:
            agree = len(finite) == 1
        else:
            logs = np.log(finite)
            slack = 5 * logs.std(ddof=1) * np.sqrt(1 + 1 / len(logs)) + floor
            # Where some draws lie beyond the grid, the finite ones bound it from below alone.
            high = np.inf if np.isinf(replicates).any() else logs.mean() + slack
            agree = logs.mean() - slack <= np.log(stored) <= high
        if not agree:
            self.differ(where, name, stored, np.round(replicates, 5).tolist())
