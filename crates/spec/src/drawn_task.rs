//! The tasks whose data are drawn from a seed instead of read.

/// A synthetic task. How its data are drawn is written in the crate `tasks`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnTask {
    /// Classes are Gaussian clouds.
    GaussianMixture,
    /// A random network labels Gaussian inputs.
    TeacherStudent,
    /// (a, b) -> (a + b) mod p.
    ModularAddition,
}

impl DrawnTask {
    /// Every drawn task.
    pub const ALL: &'static [DrawnTask] =
        &[DrawnTask::GaussianMixture, DrawnTask::TeacherStudent, DrawnTask::ModularAddition];

    /// Its name in sweep files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            DrawnTask::GaussianMixture => "gaussian-mixture",
            DrawnTask::TeacherStudent => "teacher-student",
            DrawnTask::ModularAddition => "modular-addition",
        }
    }

    /// The drawn task of that name, if there is one.
    pub fn from_name(name: &str) -> Option<DrawnTask> {
        DrawnTask::ALL.iter().copied().find(|task| task.name() == name)
    }
}
