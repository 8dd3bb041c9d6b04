//! Where things lie in a store. Paths are relative, with `/` between parts.

use crate::error::StoreError;
use crate::tables::Table;
use phasegrid_spec::validate_sweep_name;

/// One attempt at a unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnitKey {
    /// The sweep's name.
    pub sweep: String,
    /// The unit's number in the sweep.
    pub unit: u64,
    /// The attempt.
    pub attempt: u64,
}

/// Name under which weights travel and lie: `<trial_id>-<step>.safetensors`.
pub fn weights_file_name(trial_id: &str, step: i64) -> String {
    format!("{trial_id}-{step}.safetensors")
}

/// Folder in which one attempt stages its files.
pub(crate) fn attempt_folder(key: &UnitKey) -> Result<String, StoreError> {
    Ok(format!("{}/{}", unit_folder(&key.sweep, key.unit)?, key.attempt))
}

/// Folder in which every attempt at a unit stages.
pub(crate) fn unit_folder(sweep: &str, unit: u64) -> Result<String, StoreError> {
    check_sweep(sweep)?;
    Ok(format!("_staging/{sweep}/{unit}"))
}

/// Where an attempt stages a table's shard, or a weights file (`table` = `weights`).
pub fn staging_path(key: &UnitKey, table: &str, file: &str) -> Result<String, StoreError> {
    let folder = attempt_folder(key)?;
    if let Some(table) = Table::from_name(table) {
        return Ok(format!("{folder}/{}.parquet", table.name()));
    }
    if table == "weights" {
        check_weights(file)?;
        return Ok(format!("{folder}/weights/{file}"));
    }
    Err(StoreError::BadName { name: table.to_owned() })
}

/// The final name of a staged file. A path that this key cannot have staged is refused.
pub fn published_path(key: &UnitKey, table: &str, staged: &str) -> Result<String, StoreError> {
    let file = staged.rsplit('/').next().unwrap_or_default();
    if staging_path(key, table, file)? != staged {
        return Err(StoreError::BadName { name: staged.to_owned() });
    }
    if table == "weights" {
        return Ok(format!("weights/sweep={}/{file}", key.sweep));
    }
    Ok(format!("{table}/sweep={}/unit={}.parquet", key.sweep, key.unit))
}

/// Where a sweep's document lies.
pub fn sweep_document_path(sweep: &str) -> Result<String, StoreError> {
    check_sweep(sweep)?;
    Ok(format!("_sweeps/{sweep}.json"))
}

fn check_sweep(name: &str) -> Result<(), StoreError> {
    validate_sweep_name(name).map_err(|_| StoreError::BadName { name: name.to_owned() })
}

fn check_weights(file: &str) -> Result<(), StoreError> {
    let bad = || StoreError::BadName { name: file.to_owned() };
    let stem = file.strip_suffix(".safetensors").ok_or_else(bad)?;
    let (trial, step) = stem.split_once('-').ok_or_else(bad)?;
    let trial_fits = trial.len() == 32 && trial.bytes().all(|byte| byte.is_ascii_hexdigit());
    let step_fits =
        !step.is_empty() && step.len() <= 12 && step.bytes().all(|byte| byte.is_ascii_digit());
    if trial_fits && step_fits { Ok(()) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> UnitKey {
        UnitKey { sweep: "demo".into(), unit: 3, attempt: 2 }
    }

    #[test]
    fn shards_and_weights_have_their_places() {
        let staged = staging_path(&key(), "trials", "").expect("valid");
        assert_eq!(staged, "_staging/demo/3/2/trials.parquet");
        let published = published_path(&key(), "trials", &staged).expect("valid");
        assert_eq!(published, "trials/sweep=demo/unit=3.parquet");
        let name = weights_file_name("0123456789abcdef0123456789abcdef", 500);
        let staged = staging_path(&key(), "weights", &name).expect("valid");
        let published = published_path(&key(), "weights", &staged).expect("valid");
        assert_eq!(published, format!("weights/sweep=demo/{name}"));
    }

    #[test]
    fn nothing_leads_out_of_the_store() {
        for sweep in ["..", "a/b", "", "A", "a\nb", "/a"] {
            let key = UnitKey { sweep: sweep.into(), ..key() };
            assert!(staging_path(&key, "trials", "").is_err(), "{sweep:?}");
        }
        assert!(staging_path(&key(), "../trials", "").is_err());
        assert!(staging_path(&key(), "weights", "../x.safetensors").is_err());
        for staged in [
            "_staging/demo/3/1/trials.parquet",
            "_staging/demo/3/2/../trials.parquet",
            "/etc/passwd",
        ] {
            assert!(published_path(&key(), "trials", staged).is_err(), "{staged}");
        }
    }
}
