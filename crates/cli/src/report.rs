//! What a finished run leaves the user with: figures, places, and what to try next.

use crate::failure::Failure;
use crate::progress::{duration, trials_done};
use anyhow::anyhow;
use phasegrid_analyze::{
    DefaultFigure, PhaseRequest, default_figures, open_store, phase, write_diagram,
};
use phasegrid_proto::v1::SweepStatus;
use phasegrid_store::Table;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One line: how many trials, how they ended, how long it took.
pub(crate) fn print_outcome(status: &SweepStatus, elapsed: Duration) {
    let mut parts = vec![format!("{} ok", status.trials_ok)];
    parts.extend(
        (status.trials_diverged > 0).then(|| format!("{} diverged", status.trials_diverged)),
    );
    parts.extend((status.trials_failed > 0).then(|| format!("{} failed", status.trials_failed)));
    let (name, done) = (&status.name, trials_done(status));
    println!(
        "{name}: {done} trials done ({}) in {}",
        parts.join(", "),
        duration(elapsed.as_secs_f64())
    );
}

/// Draws the default figures of a sweep, as SVG and PNG, below `_figures/<sweep>` of the store.
pub(crate) fn draw(out: &Path, sweep: &str) -> Result<Vec<DefaultFigure>, Failure> {
    let store = open_store(out)?;
    let figures = default_figures(&store, sweep)?;
    let folder = figure_folder(out, sweep);
    if !figures.is_empty() {
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::infrastructure(anyhow!("cannot create {}: {error}", folder.display()))
        })?;
    }
    for figure in &figures {
        let diagram = phase(&store, &figure.request)?;
        for extension in ["svg", "png"] {
            write_diagram(&diagram, &folder.join(format!("{}.{extension}", figure.stem)))?;
        }
    }
    Ok(figures)
}

/// Where the tables and figures lie, and three commands to try next.
pub(crate) fn print_places(out: &Path, sweep: &str, figures: &[DefaultFigure]) {
    let folders = Table::ALL.iter().map(|table| table.name());
    let present: Vec<&str> =
        folders.filter(|name| out.join(name).join(format!("sweep={sweep}")).is_dir()).collect();
    println!("tables:  {}/{{{}}}/sweep={sweep}/*.parquet", out.display(), present.join(","));
    if !figures.is_empty() {
        println!("figures: {}/", figure_folder(out, sweep).display());
        for figure in figures {
            println!("         {}.png  {}", figure.stem, figure.title);
        }
    }
    let program = quoted(&std::env::args().next().unwrap_or_else(|| "phasegrid".to_owned()));
    let store = quoted(&out.to_string_lossy());
    let example = figures.first().map(|figure| &figure.request);
    println!("try next:");
    println!("  {program} query {store} \"{}\"", best_trials(sweep, example));
    match example {
        Some(request) => println!(
            "  {program} phase {store} {} --stat std --out spread.pdf",
            options_of(request)
        ),
        None => println!("  {program} tasks"),
    }
    println!("  {program} metrics rpd_gradient");
}

fn figure_folder(out: &Path, sweep: &str) -> PathBuf {
    out.join("_figures").join(sweep)
}

fn best_trials(sweep: &str, example: Option<&PhaseRequest>) -> String {
    let axes = example.map_or_else(String::new, |request| {
        let named = [Some(&request.x), Some(&request.y), request.facet.as_ref()];
        named.into_iter().flatten().map(|axis| format!("{axis}, ")).collect()
    });
    format!(
        "SELECT trial_id, {axes}test_accuracy FROM trials WHERE sweep = '{sweep}' ORDER BY test_accuracy DESC LIMIT 5"
    )
}

/// The options that ask for a diagram of a request's axes.
fn options_of(request: &PhaseRequest) -> String {
    let mut options = format!("--x {} --y {} --value {}", request.x, request.y, request.value);
    for (name, value) in [("facet", &request.facet), ("sweep", &request.sweep)] {
        options.extend(value.iter().map(|value| format!(" --{name} {value}")));
    }
    options.extend(request.over.iter().map(|axis| format!(" --over {axis}")));
    options
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:=".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_becomes_the_options_that_ask_for_it() {
        let mut request = PhaseRequest::new("learning_rate", "width", "test_accuracy");
        request.facet = Some("depth".into());
        request.sweep = Some("demo".into());
        request.over = vec!["batch_size".into()];
        let expected = "--x learning_rate --y width --value test_accuracy --facet depth --sweep demo --over batch_size";
        assert_eq!(options_of(&request), expected);
    }

    #[test]
    fn words_with_spaces_are_quoted() {
        assert_eq!(quoted("target/release/phasegrid"), "target/release/phasegrid");
        assert_eq!(quoted("my runs"), "'my runs'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
