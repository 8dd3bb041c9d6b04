//! `docs/tables.md`, written from the schema.

use super::column::Column;
use super::columns;
use super::table::Table;
use std::fmt::Write;

/// The text of `docs/tables.md`.
pub fn tables_reference() -> String {
    let mut text = String::from(
        "# Tables\n\n\
         Written from the schema in `crates/store/src/tables`; do not edit by hand.\n\n\
         A store holds plain Parquet, one folder a table, one hive partition a sweep, one file a unit:\n\
         `<store>/<table>/sweep=<name>/unit=<n>.parquet`. Every table has all hyperparameter columns, so that\n\
         no plot needs a join. Missing values are null; there is never a NaN. Units, sentences, formulas and marks stand in\n\
         the metadata of the Parquet fields too; how each value is defined, with its error and when it is null, in\n\
         [metrics.md](metrics.md) and `phasegrid metrics NAME`.\n",
    );
    for table in Table::ALL {
        let _ = write!(text, "\n## {}\n\n{}\n\n", table.name(), table.description());
        text.push_str(
            "| column | type | unit | range | filled by | meaning |\n|---|---|---|---|---|---|\n",
        );
        for column in columns(*table) {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} | {} | {} |",
                column.name,
                column.kind.name(),
                column.unit,
                column.range.replace('|', "\\|"),
                filled_by(column),
                column.sentence().replace('|', "\\|")
            );
        }
    }
    text
}

/// The metrics that fill a column, and whose definition it is.
fn filled_by(column: &Column) -> String {
    let metrics = column.metric.iter().flat_map(|metrics| metrics.split(", "));
    let names: Vec<String> = metrics.map(|metric| format!("`{metric}`")).collect();
    let mark = column.quantity.map_or("", |quantity| quantity.mark.text());
    format!("{} {mark}", names.join(", ")).trim().to_owned()
}
