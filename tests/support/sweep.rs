//! Sweep files for tests, and what they ask for.

use phasegrid_spec::{Sweep, SweepFile, TrainRows, TrialId};

/// A sweep file of small networks on the bundled digits, or another task, without metrics.
#[derive(Clone, Debug)]
pub struct SweepText {
    name: String,
    task: String,
    fixed: String,
    axes: String,
    rest: String,
    measure: String,
}

impl SweepText {
    /// One trial of five steps.
    pub fn new(name: &str) -> Self {
        SweepText {
            name: name.to_owned(),
            task: "digits".to_owned(),
            fixed: "steps = 5\ndepth = 1\nwidth = 4\n".to_owned(),
            axes: String::new(),
            rest: String::new(),
            measure: "at = \"last\"\nmetrics = []\nhistory = 0\nprobe_samples = 50\n".to_owned(),
        }
    }

    /// Of this task.
    pub fn task(mut self, name: &str) -> Self {
        self.task = name.to_owned();
        self
    }

    /// With these lines in `[fixed]`, instead of its own.
    pub fn fixed(mut self, lines: &str) -> Self {
        self.fixed = lines.to_owned();
        self
    }

    /// With these lines in `[axes]`.
    pub fn axes(mut self, lines: &str) -> Self {
        self.axes = lines.to_owned();
        self
    }

    /// With these lines before `[measure]`: further grids and points.
    pub fn rest(mut self, lines: &str) -> Self {
        self.rest = lines.to_owned();
        self
    }

    /// With these lines in `[measure]`, instead of its own.
    pub fn measure(mut self, lines: &str) -> Self {
        self.measure = lines.to_owned();
        self
    }

    /// The file.
    pub fn text(&self) -> String {
        format!(
            "name = \"{}\"\ntask = \"{}\"\n[fixed]\n{}\n[axes]\n{}\n{}\n[measure]\n{}\n",
            self.name, self.task, self.fixed, self.axes, self.rest, self.measure
        )
    }
}

/// The trials that sweep files ask for, by identity, sorted: the union over the files.
pub fn planned_trial_ids(files: &[&SweepText]) -> Vec<String> {
    let rows = TrainRows([("digits".to_owned(), 1_500)].into());
    let mut ids: Vec<String> = Vec::new();
    for file in files {
        let parsed = SweepFile::parse(&file.text(), "test.toml").expect("the test's own file");
        let (measure, block) = parsed.resolve(&rows).expect("the test's own file");
        let sweep = Sweep::new(file.name.clone(), measure, vec![block]);
        ids.extend(sweep.trials().map(|(_, trial)| TrialId::of(&trial).to_string()));
    }
    ids.sort();
    ids.dedup();
    ids
}
