//! `docs/metrics.md`: its prose from the template, its entries from the quantities.

use super::metrics::METRICS;
use super::quantities::SECTIONS;
use super::quantity::{Quantity, Section};
use super::wrap::wrap;
use std::collections::BTreeSet;

/// The prose, with `{{section}}` where the entries of a section belong.
const TEMPLATE: &str = include_str!("metrics_template.md");

/// Characters in a line of an entry.
const WIDTH: usize = 160;

/// The text of `docs/metrics.md`.
pub fn metrics_reference() -> String {
    let mut text = TEMPLATE.to_owned();
    for section in SECTIONS {
        text = text.replace(&placeholder(section), entries(section).trim_end());
    }
    let note = "<!-- Written from crates/store/src/tables (quantities, metrics_template.md); do not edit by hand. -->\n";
    format!("{note}{text}")
}

fn placeholder(section: &Section) -> String {
    format!("{{{{{}}}}}", section.name)
}

fn entries(section: &Section) -> String {
    let mut text: String = section.quantities.iter().map(entry).collect();
    let mut common = Vec::new();
    for (label, said) in
        [("Error", section.error), ("Null", section.null_where), ("Cost", section.cost)]
    {
        common.push(format!("*{label}*: {}.", with_code(said)));
    }
    text.push('\n');
    let lead = match section.quantities.len() {
        1 => String::new(),
        _ => "Unless an entry says otherwise: ".to_owned(),
    };
    text.push_str(&wrap(&format!("{lead}{}", common.join(" ")), WIDTH, "", ""));
    text
}

/// One quantity: definition; formula; what else there is to say that the section does not.
fn entry(quantity: &Quantity) -> String {
    let head = format!(
        "**`{}`** {} {}",
        quantity.name,
        quantity.mark.text(),
        with_code(quantity.definition)
    );
    let mut text = wrap(&head, WIDTH, "* ", "  ");
    if !quantity.formula.is_empty() {
        text.push_str(&format!("  `{}`\n", quantity.formula));
    }
    let mut facts = vec![match quantity.unit {
        "" => quantity.range.to_owned(),
        unit => format!("{} ({unit})", quantity.range),
    }];
    for (label, said) in
        [("error", quantity.error), ("null", quantity.null_where), ("cost", quantity.cost)]
    {
        if !said.is_empty() {
            facts.push(format!("*{label}*: {}", with_code(said)));
        }
    }
    let places = quantity.places.iter().map(|place| match place.note {
        "" => format!("`{}`", place.table.name()),
        note => format!("`{}` ({note})", place.table.name()),
    });
    facts.push(format!("in {}", places.collect::<Vec<_>>().join(", ")));
    text.push_str(&wrap(&facts.join(" · "), WIDTH, "  ", "  "));
    text
}

/// Names of columns and metrics as code, where they cannot be mistaken for words.
fn with_code(text: &str) -> String {
    let quantities = SECTIONS.iter().flat_map(|section| section.quantities);
    let names: BTreeSet<&str> = quantities
        .map(|quantity| quantity.name)
        .chain(METRICS.iter().map(|metric| metric.name))
        .filter(|name| name.contains('_'))
        .collect();
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut result = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        match names.contains(word) {
            true => result.push_str(&format!("`{word}`")),
            false => result.push_str(word),
        }
        let next = after.find(is_part).unwrap_or(after.len());
        result.push_str(&after[..next]);
        rest = &after[next..];
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_a_place_for_every_section_and_for_nothing_else() {
        for section in SECTIONS {
            assert_eq!(TEMPLATE.matches(&placeholder(section)).count(), 1, "{}", section.name);
        }
        assert!(!metrics_reference().contains("{{"));
    }

    #[test]
    fn names_become_code_and_formulas_stay() {
        assert_eq!(with_code("from rpd_gradient_se of g_l"), "from `rpd_gradient_se` of g_l");
        assert_eq!(with_code("phase and order are words"), "phase and order are words");
    }
}
