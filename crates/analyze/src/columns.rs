//! What is known of a column beside its values: a readable name, its unit, what it means.

use phasegrid_spec::HyperparameterId;
use phasegrid_store::tables::{Table, columns};

/// A column as figures name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Name in the tables.
    pub name: String,
    /// Name for people, such as `RPD gradient`.
    pub label: String,
    /// Unit; empty where it has none.
    pub unit: String,
}

impl ColumnInfo {
    /// What is known of a column of this table.
    pub fn of(table: &str, name: &str) -> ColumnInfo {
        let definition = Table::from_name(table)
            .and_then(|table| columns(table).iter().find(|column| column.name == name));
        let unit = definition.map_or("", |column| column.unit);
        ColumnInfo { name: name.to_owned(), label: readable(name), unit: unit.to_owned() }
    }

    /// `label (unit)`.
    pub fn title(&self) -> String {
        // `step (steps)` says nothing.
        if self.unit.is_empty() || self.unit == format!("{}s", self.label) {
            self.label.clone()
        } else {
            format!("{} ({})", self.label, self.unit)
        }
    }
}

/// Whether a column is a hyperparameter: one of the registry, or a parameter of a task.
pub(crate) fn is_hyperparameter(name: &str) -> bool {
    HyperparameterId::from_name(name).is_some() || is_task_parameter(name)
}

/// Whether a column is null where the trial's task has no such hyperparameter.
pub(crate) fn is_task_parameter(name: &str) -> bool {
    name.starts_with("task_")
}

/// Whether a column of `trials` is a radius, whose censored values count as 0 or infinity.
pub(crate) fn radius_space(name: &str) -> Option<&'static str> {
    match name {
        "sample_basin" => Some("sample"),
        "weight_basin" | "weight_basin_scaled" => Some("weight"),
        _ => None,
    }
}

/// Names whose words alone do not say it.
const LABELS: [(&str, &str); 2] =
    [("onset_mixed_step", "onset of the mixed phase"), ("lr_sharpness", "lr · sharpness/2(1+m)")];

/// `rpd_gradient` as `RPD gradient`.
pub(crate) fn readable(name: &str) -> String {
    if let Some((_, label)) = LABELS.iter().find(|(column, _)| *column == name) {
        return (*label).to_owned();
    }
    const ABBREVIATIONS: [(&str, &str); 8] = [
        ("rpd", "RPD"),
        ("opt", "OPT"),
        ("npt", "NPT"),
        ("lmap", "L-map"),
        ("auc", "AUC"),
        ("ntk", "NTK"),
        ("rms", "RMS"),
        ("r2", "R²"),
    ];
    let words = name.split('_').filter(|word| !word.is_empty()).map(|word| {
        let known = ABBREVIATIONS.iter().find(|(short, _)| *short == word);
        known.map_or(word, |(_, long)| *long)
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_readable() {
        assert_eq!(readable("rpd_gradient"), "RPD gradient");
        assert_eq!(readable("lmap_accuracy"), "L-map accuracy");
        assert_eq!(readable("learning_rate"), "learning rate");
    }
}
