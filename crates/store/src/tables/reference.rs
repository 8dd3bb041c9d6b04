//! `docs/tables.md`, written from the schema.

use super::{Table, columns};
use std::fmt::Write;

/// The text of `docs/tables.md`.
pub fn tables_reference() -> String {
    let mut text = String::from(
        "# Tables\n\n\
         Written from the schema in `crates/store/src/tables`; do not edit by hand.\n\n\
         A store holds plain Parquet, one folder a table, one hive partition a sweep, one file a unit:\n\
         `<store>/<table>/sweep=<name>/unit=<n>.parquet`. Every table has all hyperparameter columns, so that\n\
         no plot needs a join. Missing values are null; there is never a NaN. Units and sentences stand in the\n\
         metadata of the Parquet fields too.\n",
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
                column
                    .metric
                    .map(|name| format!("`{name}` {}", column.mark.text()))
                    .unwrap_or_default(),
                column.description.replace('|', "\\|")
            );
        }
    }
    text
}
