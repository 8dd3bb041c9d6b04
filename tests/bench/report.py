"""The results as Markdown."""

from statistics import median

import agreement
import data
from programs import PROGRAMS, WARM_SENTENCE
from workload import PROBE_ROWS, VARIED

TASKS = {"digits": "the bundled 8x8 digits, 1,500 rows train, 297 test",
         "mnist": "MNIST's 10,000 test images, the first 8,000 train, the last 2,000 test"}
# Rows of each task's two sets, after training: probe and test.
EVALUATED_ROWS = {"digits": PROBE_ROWS + 297, "mnist": PROBE_ROWS + 2000}


def number(value):
    """Three digits or all whole ones."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(values):
    """Median [least .. greatest]."""
    shown = [number(value) for value in (median(values), min(values), max(values))]
    return shown[0] if len(values) == 1 else f"{shown[0]} [{shown[1]} .. {shown[2]}]"


def table(header, rows):
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def grid(workload):
    """The grid in words."""
    parts = []
    for name in VARIED:
        values = sorted({getattr(point, name) for point in workload.points})
        shown = " ".join(f"{value:g}" for value in values)
        if len(values) > 4:
            shown = f"{len(values)} values {values[0]:g} to {values[-1]:g}"
        parts.append(f"{name.replace('_', ' ')} {shown}")
    return f"{len(workload.points):,} trials on {TASKS[workload.task]}: " + ", ".join(parts)


def flops(workload):
    """Floating-point operations of the matrix products of the whole workload."""
    inputs = data.INPUTS[workload.task]
    rows = EVALUATED_ROWS[workload.task]
    return sum(
        point.training_flops(inputs, data.CLASSES) + point.evaluation_flops(inputs, data.CLASSES, rows)
        for point in workload.points
    )


def ratios(rounds, name):
    """phasegrid's trials/s over the program's, of each round that has both."""
    return [one[name].seconds / one["phasegrid"].seconds for one in rounds if name in one and "phasegrid" in one]


def workload_table(workload, rounds):
    """The programs' rows, fastest first. `rounds`: [{program: Run}]."""
    count = len(workload.points)
    names = {name for one in rounds for name in one}
    runs = {name: [one[name] for one in rounds if name in one] for name in names}
    chosen = agreement.converging(runs["phasegrid"][0].accuracies)
    everything = {point.key for point in workload.points}
    rows = []
    for name in sorted(runs, key=lambda name: median(run.seconds for run in runs[name])):
        every, converged = (
            f"{median(agreement.average(run.accuracies, trials) for run in runs[name]):.4f}" if trials else "none"
            for trials in (everything, chosen)
        )
        rates = [count / run.seconds for run in runs[name]]
        ratio = spread(ratios(rounds, name)) if name != "phasegrid" else ""
        bold = f"**{name}**" if name == "phasegrid" else name
        equal = median(agreement.share_equal(run.accuracies, runs["phasegrid"][0].accuracies) for run in runs[name])
        rows.append([bold, spread(rates), len(rates), ratio, every, converged, f"{equal:.1%}"])
    header = ["program", "trials/s", "runs", "phasegrid over it", "test accuracy, all trials",
              f"test accuracy, {len(chosen):,} converging trials", "trials equal to phasegrid's"]
    return table(header, rows)


def limit_lines(workload, limits):
    """What the matrix products allow."""
    work = flops(workload)
    each = work / len(workload.points)
    unit = f"{each / 1e9:.3g} GFLOP"
    at_rate = [limit["gflops"] * 1e9 / each for limit in limits]
    alone = [limit["products"][workload.name] for limit in limits]
    return (f"Limit: a trial is {unit} of matrix products on average, training and final evaluation, so one large product's rate, "
            f"{spread([limit['gflops'] for limit in limits])} GFLOP/s, would give **{spread(at_rate)} trials/s**. The products of "
            f"training alone, at this workload's own shapes, run at {spread(alone)} trials/s.\n")


def metrics_table(measured):
    """Cost of the default metrics; `measured`: {workload name: [(Run without, Run with)]}."""
    rows = []
    for name, pairs in measured.items():
        total = [with_metrics.seconds / without.seconds for without, with_metrics in pairs]
        share = [with_metrics.measure_seconds / with_metrics.train_seconds for _, with_metrics in pairs]
        seconds = [with_metrics.seconds for _, with_metrics in pairs]
        rows.append([title(name), spread(seconds), spread(total), spread(share)])
    return table(["workload", "seconds with metrics", "total time, with over without",
                  "measuring over training, summed over trials"], rows)


def title(name):
    """R1 of bench-r1."""
    return name.removeprefix("bench-").upper()


def document(machine, workloads, results, limits, measured, settings):
    """The whole page. `results`: {workload name: rounds}; `settings`: {what: text} of the run."""
    parts = [f"# Benchmarks{settings['title']}\n\nWritten by `{settings['command']}`; do not edit by hand. {settings['means']}\n"]
    parts.append(table(["", ""], machine))
    for workload in workloads:
        parts.append(f"## {title(workload.name)}\n\n{grid(workload)}. SGD, ReLU, cross entropy; final loss and accuracy only.\n")
        parts.append(workload_table(workload, results[workload.name]))
        parts.append(limit_lines(workload, limits))
    for text in settings["skipped"]:
        parts.append(f"**Skipped:** {text}\n")
    if measured:
        parts.append("## The default metrics\n\nThe same grids with `order`, `lmap`, `sample_basin` and `weight_basin` at the last "
                     "step (`sweeps/bench-*-metrics.toml`). `train_seconds` and `measure_seconds` of the table `trials` give the "
                     "last column.\n")
        parts.append(metrics_table(measured))
    parts.append(explanation(results, settings))
    return "\n".join(parts)


def explanation(results, settings):
    """What each program does, what the limit is, and how it was measured."""
    present = {name for rounds in results.values() for one in rounds for name in one}
    lines = ["## What each does\n"]
    for program in PROGRAMS.values():
        if program.name in present:
            lines.append(f"* **{program.name}** ({settings['processes'][program.name]}): {program.sentence}.")
        if program.warm in present:
            lines.append(f"* **{program.warm}**: {WARM_SENTENCE}.")
    lines.append(f"""
All train the same grid on the same data, from the same initial weights, U(±1/sqrt(fan in)), with the same minibatches
(`tests/bench/stream.py` has phasegrid's random streams), in f32, and end with loss and accuracy of each trial on
{PROBE_ROWS:,} training rows and on the test set, in a file. A trial then ends the same but for rounding, which training at large
learning rates amplifies. It counts as equal to phasegrid's (the first round's) if its test accuracy differs by at most
{agreement.EQUAL:g}. Nothing is written unless, for each program, {agreement.SHARE_EQUAL:.0%} of the trials are equal, the mean
test accuracy lies within {agreement.TOLERANCE_ALL:g} of phasegrid's over all trials, and within
{agreement.TOLERANCE_CONVERGING:g} over the converging ones (those of cells in which phasegrid's mean over seeds is at least
{agreement.CONVERGING:g}). A trial whose loss is not finite counts as accuracy 0.

## What the limit is

The products' operations are counted exactly, multiplications and additions: of a step on B rows, 2·B·(3 Σ n_l·n_(l-1) − n_1·n_0),
the sum over the layers and the output (forward, gradient of the weights, derivative of the inputs of every layer but the first); of
the evaluation, 2·rows·Σ n_l·n_(l-1). The rate of one large f32 product ({settings['large']}), measured in each round and divided by
this, is what a program could reach that does nothing but products, each as fast as a large one. The second number times the
products of training alone at the workload's own shapes, batched as phasegrid and stacked PyTorch batch them, on
{settings['cores']}; it needs no large product's rate, but leaves out the evaluation and all that is not a product.

## How it was measured

From the start of the process to its end, results written: imports, data, training, evaluation (JAX: to the moment of writing).
In each round, {settings['rounds']} in all, every program runs once, in turn{settings['fewer']}; shown are the median and
[least .. greatest], and the median of the ratios within a round. Before the first round each program ran once on a small part,
so that files are cached. Load average at the start: {settings['load']}. `import torch` alone takes
{settings['import']} s here{settings['wheel']}.

{settings['reproduce']}
""")
    return "\n".join(lines)
