//! Text in lines of a given length.

/// `text` in lines of at most `width` characters (a longer word stands alone), the first after
/// `first`, the others after `rest`.
pub fn wrap(text: &str, width: usize, first: &str, rest: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let length = line.chars().count() + usize::from(!is_empty) + word.chars().count();
        if length > width && !is_empty {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = rest.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_are_as_long_as_they_may_be_and_hang() {
        let text = wrap("one two three ⟨four⟩ five-and-more-than-ten six", 12, "* ", "  ");
        assert_eq!(text, "* one two\n  three\n  ⟨four⟩\n  five-and-more-than-ten\n  six\n");
        assert_eq!(wrap("", 12, "a", "b"), "a\n");
    }
}
