//! Progress of a run: a bar on a terminal, plain lines elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use phasegrid_proto::v1::SweepStatus;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Least time between two plain lines.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Shows how far a sweep is.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    done_at_start: Option<u64>,
    last_line: Option<Instant>,
    last_trouble: String,
}

/// Trials that have their row.
pub(crate) fn trials_done(status: &SweepStatus) -> u64 {
    status.trials_ok + status.trials_diverged + status.trials_failed
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let template = "{msg:<12} [{wide_bar:.cyan/blue}] {pos}/{len} trials  {prefix}";
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
            bar
        });
        Progress {
            bar,
            started: Instant::now(),
            done_at_start: None,
            last_line: None,
            last_trouble: String::new(),
        }
    }

    /// Shows a status.
    pub(crate) fn show(&mut self, status: &SweepStatus) {
        let done = trials_done(status);
        let first = *self.done_at_start.get_or_insert(done);
        let under_way = status.trials_running as f64 * status.running_progress;
        let advanced = (done - first.min(done)) as f64 + under_way;
        let rate = advanced / self.started.elapsed().as_secs_f64().max(0.1);
        let remaining = (status.trials_total.saturating_sub(done)) as f64 - under_way;
        let facts = facts(status, rate, remaining);
        self.show_trouble(status);
        if let Some(bar) = &self.bar {
            bar.set_length(status.trials_total);
            bar.set_position(done + under_way as u64);
            bar.set_message(status.name.clone());
            bar.set_prefix(facts);
            bar.tick();
            return;
        }
        if self.last_line.is_some_and(|last| last.elapsed() < LINE_INTERVAL) {
            return;
        }
        self.last_line = Some(Instant::now());
        eprintln!("{}: {done}/{} trials  {facts}", status.name, status.trials_total);
    }

    /// Says why attempts or publishing fail, each reason once.
    fn show_trouble(&mut self, status: &SweepStatus) {
        let trouble = trouble_of(status);
        if trouble.is_empty() || trouble == self.last_trouble {
            return;
        }
        match &self.bar {
            Some(bar) => bar.println(&trouble),
            None => eprintln!("{trouble}"),
        }
        self.last_trouble = trouble;
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The latest failure of an attempt or of publishing, in words; empty if there is none.
pub(crate) fn trouble_of(status: &SweepStatus) -> String {
    if status.store_trouble.is_empty() {
        return match status.attempts_failed {
            0 => String::new(),
            _ => status.last_failure.clone(),
        };
    }
    format!("results cannot be published: {}", status.store_trouble)
}

fn facts(status: &SweepStatus, rate: f64, remaining: f64) -> String {
    let mut facts = Vec::new();
    if rate > 0.0 {
        facts.push(format!("{}/s", significant(rate)));
        if remaining >= 1.0 {
            facts.push(format!("{} left", duration(remaining / rate)));
        }
    }
    if status.trials_diverged > 0 {
        facts.push(format!("{} diverged", status.trials_diverged));
    }
    if status.trials_failed > 0 {
        facts.push(format!("{} failed", status.trials_failed));
    }
    if status.attempts_failed > 0 {
        facts.push(format!("{} attempts lost", status.attempts_failed));
    }
    facts.join("  ")
}

/// Two or three significant digits.
fn significant(value: f64) -> String {
    if value >= 10.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// A duration in words that fit a bar.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(0.4), "0 s");
        assert_eq!(duration(59.4), "59 s");
        assert_eq!(duration(125.0), "2 min 05 s");
        assert_eq!(duration(7322.0), "2 h 02 min");
    }

    #[test]
    fn failures_are_shown_only_where_there_are_any() {
        let status = SweepStatus { trials_failed: 2, ..Default::default() };
        assert_eq!(facts(&status, 12.3, 24.6), "12/s  2 s left  2 failed");
        assert_eq!(facts(&SweepStatus::default(), 0.0, 10.0), "");
    }
}
