//! Errors of sweep files: what is wrong, in which file, at which line and key.

use std::fmt;

/// What is wrong with a sweep file or a submitted spec.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct SpecError {
    /// The file's name as the user gave it; empty if there is no file.
    pub file: String,
    /// Line in the file, from 1; 0 where no line applies.
    pub line: usize,
    /// The key or table the error is about, such as `axes.learning_rate`.
    pub key: String,
    /// What is wrong and what is expected.
    pub message: String,
}

impl SpecError {
    /// An error about the spec as a whole, or whose place is filled in by the caller.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        SpecError { file: String::new(), line: 0, key: key.into(), message: message.into() }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            formatter.write_str(&self.file)?;
            if self.line > 0 {
                write!(formatter, ":{}", self.line)?;
            }
            formatter.write_str(": ")?;
        }
        if !self.key.is_empty() {
            write!(formatter, "{}: ", self.key)?;
        }
        formatter.write_str(&self.message)
    }
}

/// The known name nearest to a misspelt one, if any is near enough to be what was meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lowered = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lowered, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(name.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ` (did you mean "depth"?)`, or nothing.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map(|best| format!(" (did you mean \"{best}\"?)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        let known = ["learning_rate", "depth", "width"];
        assert_eq!(nearest("learning-rate", known), Some("learning_rate"));
        assert_eq!(nearest("widht", known), Some("width"));
        assert_eq!(nearest("zzzzzz", known), None);
    }

    #[test]
    fn errors_point_at_file_line_and_key() {
        let mut error = SpecError::new("axes.depth", "the axis is empty");
        error.file = "a.toml".into();
        error.line = 7;
        assert_eq!(error.to_string(), "a.toml:7: axes.depth: the axis is empty");
    }
}
