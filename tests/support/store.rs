//! What a store holds, read by the `parquet` crate and by `phasegrid query`.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;

use crate::folder::tree;
use crate::process::Outcome;
use crate::program::phasegrid;

/// What the tests look at in a row of `trials`.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedTrial {
    /// Its identity.
    pub trial_id: String,
    /// ok, diverged or failed.
    pub status: String,
    /// The unit it was trained in.
    pub unit: i64,
    /// The attempt that won.
    pub attempt: i64,
    /// Updates done.
    pub steps_done: i64,
}

/// Every row of `trials` of a sweep, read file by file with the `parquet` crate.
pub fn trials(store: &Path, sweep: &str) -> Vec<PublishedTrial> {
    let folder = store.join(format!("trials/sweep={sweep}"));
    let mut found = Vec::new();
    for name in tree(&folder).keys() {
        let file = File::open(folder.join(name)).expect("a published shard can be opened");
        let reader = SerializedFileReader::new(file).expect("a published shard is whole");
        let rows = reader.get_row_iter(None).expect("a published shard has rows");
        found.extend(rows.map(|row| published(&row.expect("a published row can be read"))));
    }
    found
}

fn published(row: &Row) -> PublishedTrial {
    let field = |name: &str| {
        let (_, field) = row
            .get_column_iter()
            .find(|(known, _)| known.as_str() == name)
            .unwrap_or_else(|| panic!("no column {name}"));
        field.clone()
    };
    let text = |name: &str| match field(name) {
        Field::Str(text) => text,
        other => panic!("{name} is {other:?}"),
    };
    let integer = |name: &str| match field(name) {
        Field::Long(number) => number,
        other => panic!("{name} is {other:?}"),
    };
    PublishedTrial {
        trial_id: text("trial_id"),
        status: text("status"),
        unit: integer("unit"),
        attempt: integer("attempt"),
        steps_done: integer("steps_done"),
    }
}

/// Rows of `phasegrid query STORE SQL --output json`.
pub fn query(store: &Path, sql: &str) -> Vec<Value> {
    let mut command = phasegrid();
    command.arg("query").arg(store).arg(sql).args(["--output", "json"]);
    let outcome = Outcome::of(&mut command).exits_with(0);
    serde_json::from_str(&outcome.stdout).expect("query --output json writes JSON")
}

/// Every published shard of a table with its bytes, by path below the table.
pub fn shards(store: &Path, table: &str) -> BTreeMap<String, Vec<u8>> {
    tree(&store.join(table))
}
