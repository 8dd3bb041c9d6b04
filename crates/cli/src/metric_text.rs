//! What `phasegrid metrics` prints: everything known of a metric or column, for a terminal.

use phasegrid_store::MetricDescription;
use phasegrid_store::tables::{Column, Place, Quantity, Section, Table, wrap};

/// Characters in a line.
const WIDTH: usize = 100;

/// A label and what follows it, the latter in a column of its own.
fn fact(text: &mut String, indent: &str, label: &str, said: &str) {
    if !said.is_empty() {
        let first = format!("{indent}{label:<8} ");
        let rest = " ".repeat(first.chars().count());
        text.push_str(&wrap(said, WIDTH, &first, &rest));
    }
}

/// Every metric, then every table's columns with a sentence each.
pub(crate) fn list_text(metrics: &[MetricDescription], columns: &[(Table, Column)]) -> String {
    let mut text = String::new();
    for metric in metrics {
        text.push_str(&wrap(metric.description, WIDTH, &format!("{}: ", metric.name), "    "));
        fact(&mut text, "    ", "cost", metric.cost());
        text.push('\n');
    }
    let mut last_table = None;
    for (table, column) in columns {
        if last_table != Some(*table) {
            let head = format!("table {}: ", table.name());
            text.push_str(&wrap(table.description(), WIDTH, &head, "    "));
            last_table = Some(*table);
        }
        let facts = format!("{} ({})", column.name, kind_and_source(column));
        text.push_str(&wrap(&facts, WIDTH, "  ", "      "));
        text.push_str(&wrap(&column.sentence(), WIDTH, "      ", "      "));
    }
    text.push_str("\nformula, range, error, null and cost of one: phasegrid metrics NAME\n");
    text
}

fn kind_and_source(column: &Column) -> String {
    let mut facts = vec![column.kind.name().to_owned()];
    facts.extend((!column.unit.is_empty()).then(|| format!("in {}", column.unit)));
    facts.extend((!column.range.is_empty()).then(|| column.range.to_owned()));
    let mark = column.quantity.map_or("", |quantity| quantity.mark.text());
    match column.metric {
        Some(metric) => facts.push(format!("from {metric} {mark}")),
        None if !mark.is_empty() => facts.push(mark.to_owned()),
        None => (),
    }
    facts.join("; ")
}

/// A metric and all it fills.
pub(crate) fn metric_text(metric: &MetricDescription) -> String {
    let mut text = format!("{}  {}\n", metric.name, metric.mark.text());
    text.push_str(&wrap(metric.description, WIDTH, "    ", "    "));
    fact(&mut text, "    ", "formula", metric.formula);
    for (index, section) in metric.sections.iter().enumerate() {
        text.push('\n');
        if index > 0 {
            text.push_str("    of the following, unless said otherwise:\n");
        }
        fact(&mut text, "    ", "error", section.error);
        fact(&mut text, "    ", "null", section.null_where);
        fact(&mut text, "    ", "cost", section.cost);
        for quantity in section.quantities {
            text.push('\n');
            text.push_str(&own_text(quantity, section));
        }
    }
    text
}

/// A quantity in full but for what holds for its whole section.
fn own_text(quantity: &Quantity, section: &Section) -> String {
    let said = |own: &'static str, common: &str| if own == common { "" } else { own };
    let own = Quantity {
        error: said(quantity.error, section.error),
        null_where: said(quantity.null_where, section.null_where),
        cost: said(quantity.cost, section.cost),
        ..*quantity
    };
    quantity_text(&own, "  ", None)
}

fn quantity_text(quantity: &Quantity, indent: &str, metric: Option<&str>) -> String {
    let mut text = format!("{indent}{}  {}\n", quantity.name, quantity.mark.text());
    let inner = format!("{indent}    ");
    text.push_str(&wrap(quantity.definition, WIDTH, &inner, &inner));
    fact(&mut text, &inner, "formula", quantity.formula);
    let unit = match quantity.unit {
        "" => "none",
        unit => unit,
    };
    fact(&mut text, &inner, "range", quantity.range);
    fact(&mut text, &inner, "unit", &format!("{unit} ({})", quantity.kind.name()));
    fact(&mut text, &inner, "error", quantity.error);
    fact(&mut text, &inner, "null", quantity.null_where);
    fact(&mut text, &inner, "cost", quantity.cost);
    if let Some(metric) = metric {
        fact(&mut text, &inner, "metric", metric);
    }
    let place = |place: &Place| match place.note {
        "" => place.table.name().to_owned(),
        note => format!("{} ({note})", place.table.name()),
    };
    let places: Vec<String> = quantity.places.iter().map(place).collect();
    fact(&mut text, &inner, "tables", &places.join(", "));
    text
}

/// A column, given with every table that has one of its name.
pub(crate) fn column_text(found: &[(Table, Column)]) -> String {
    let mut told: Vec<&str> = Vec::new();
    let mut texts = Vec::new();
    for (_, column) in found {
        if told.contains(&column.description) {
            continue;
        }
        told.push(column.description);
        texts.push(match &column.quantity {
            Some(quantity) => quantity_text(quantity, "", Some(&source(column))),
            None => plain_text(column, found),
        });
    }
    texts.join("\n")
}

/// What fills a column.
fn source(column: &Column) -> String {
    match column.metric {
        Some(metric) => format!("{metric}; null where it was not measured"),
        None => "none: it is always there".to_owned(),
    }
}

/// A hyperparameter, or what says which row it is.
fn plain_text(column: &Column, found: &[(Table, Column)]) -> String {
    let mut text = format!("{}\n", column.name);
    text.push_str(&wrap(column.description, WIDTH, "    ", "    "));
    fact(&mut text, "    ", "type", column.kind.name());
    fact(&mut text, "    ", "unit", column.unit);
    let same = found.iter().filter(|(_, other)| other.description == column.description);
    let tables: Vec<&str> = same.map(|(table, _)| table.name()).collect();
    fact(&mut text, "    ", "tables", &tables.join(", "));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use phasegrid_store::METRICS;
    use phasegrid_store::tables::columns;

    fn all() -> Vec<(Table, Column)> {
        let of =
            |table: &Table| columns(*table).iter().map(|one| (*table, *one)).collect::<Vec<_>>();
        Table::ALL.iter().flat_map(of).collect()
    }

    fn text_of(name: &str) -> String {
        let found: Vec<_> = all().into_iter().filter(|(_, column)| column.name == name).collect();
        column_text(&found)
    }

    #[test]
    fn no_line_is_longer_than_a_terminal_is_wide() {
        let columns = all().into_iter().map(|(_, column)| text_of(column.name));
        let metrics = METRICS.iter().map(metric_text);
        for text in columns.chain(metrics).chain([list_text(METRICS, &all())]) {
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }

    #[test]
    fn a_column_is_told_with_all_that_is_known_of_it() {
        let text = text_of("rpd_gradient");
        assert!(text.starts_with("rpd_gradient  [paper]\n"), "{text}");
        for label in ["formula", "range", "unit", "error", "null", "cost", "metric", "tables"] {
            assert!(text.contains(&format!("\n    {label} ")), "{label}: {text}");
        }
        assert!(text.contains("layers, trials (mean over layers at the end)"), "{text}");
    }

    #[test]
    fn a_name_that_two_quantities_share_is_told_twice() {
        let text = text_of("weight_norm");
        assert_eq!(text.matches("weight_norm  [ours]").count(), 2, "{text}");
    }

    #[test]
    fn a_hyperparameter_is_told_once() {
        let text = text_of("width");
        assert!(text.contains("tables   trials, history, layers, basins"), "{text}");
    }
}
