//! TOML as a tree that remembers lines.

use crate::error::{SpecError, did_you_mean};
use crate::value::Value;
use toml_edit::{Document, Item, TableLike};

/// A TOML value and the line it stands on.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Table(Vec<Entry>),
    Array(Vec<Node>),
    Scalar(Value),
    /// A date or time: no setting takes one.
    Date,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: usize,
    pub(crate) value: Node,
}

impl Node {
    /// What the value is, in words.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.content {
            Content::Table(_) => "a table",
            Content::Array(_) => "a list",
            Content::Scalar(value) => value.type_name(),
            Content::Date => "a date",
        }
    }

    /// The entries of a table, or an error about `key`.
    pub(crate) fn table(&self, key: &str) -> Result<&[Entry], SpecError> {
        match &self.content {
            Content::Table(entries) => Ok(entries),
            _ => Err(self.wrong_type(key, "a table")),
        }
    }

    /// The members of a list, or an error about `key`.
    pub(crate) fn array(&self, key: &str) -> Result<&[Node], SpecError> {
        match &self.content {
            Content::Array(members) => Ok(members),
            _ => Err(self.wrong_type(key, "a list")),
        }
    }

    /// A single value, or an error about `key`.
    pub(crate) fn scalar(&self, key: &str, expected: &str) -> Result<&Value, SpecError> {
        match &self.content {
            Content::Scalar(value) => Ok(value),
            _ => Err(self.wrong_type(key, expected)),
        }
    }

    /// A string, or an error about `key`.
    pub(crate) fn text(&self, key: &str) -> Result<&str, SpecError> {
        match &self.content {
            Content::Scalar(Value::Text(text)) => Ok(text),
            _ => Err(self.wrong_type(key, "a string")),
        }
    }

    /// An integer in a range, or an error about `key`.
    pub(crate) fn integer(&self, key: &str, min: i64, max: i64) -> Result<i64, SpecError> {
        match &self.content {
            Content::Scalar(Value::Integer(number)) if (min..=max).contains(number) => Ok(*number),
            Content::Scalar(Value::Integer(number)) => Err(self.error(
                key,
                format!("{number} is out of range: expected an integer from {min} to {max}"),
            )),
            _ => Err(self.wrong_type(key, &format!("an integer from {min} to {max}"))),
        }
    }

    /// An error at this value's line.
    pub(crate) fn error(&self, key: &str, message: impl Into<String>) -> SpecError {
        SpecError { line: self.line, ..SpecError::new(key, message) }
    }

    fn wrong_type(&self, key: &str, expected: &str) -> SpecError {
        let found = match &self.content {
            Content::Scalar(value) => format!("{} ({value})", self.type_name()),
            _ => self.type_name().to_owned(),
        };
        self.error(key, format!("expected {expected}, found {found}"))
    }
}

impl Entry {
    /// An error about a key that nothing reads, with the nearest one that is known.
    pub(crate) fn unknown<'a>(
        &self,
        path: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> SpecError {
        let known: Vec<&str> = known.into_iter().collect();
        let hint = did_you_mean(&self.key, known.iter().copied());
        let hint =
            if hint.is_empty() { format!("; known here: {}", known.join(", ")) } else { hint };
        let key = join(path, &self.key);
        SpecError { line: self.line, ..SpecError::new(key, format!("unknown key{hint}")) }
    }
}

/// `axes` and `depth` make `axes.depth`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Parses TOML. The error names the line.
pub(crate) fn read(text: &str) -> Result<Node, SpecError> {
    let document = Document::parse(text).map_err(|error| {
        let line = error.span().map_or(0, |span| line_of(text, span.start));
        let message = format!("not valid TOML: {}", error.message().trim());
        SpecError { line, ..SpecError::new("", message) }
    })?;
    Ok(Node { line: 1, content: table(text, document.as_table(), 1) })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn table(text: &str, source: &dyn TableLike, line: usize) -> Content {
    let entries = source.iter().map(|(name, item)| {
        let key_span = source.key(name).and_then(toml_edit::Key::span);
        let line = key_span.or_else(|| item.span()).map_or(line, |span| line_of(text, span.start));
        Entry { key: name.to_owned(), line, value: node(text, item, line) }
    });
    Content::Table(entries.collect())
}

fn node(text: &str, item: &Item, line: usize) -> Node {
    match item {
        Item::None => Node { line, content: Content::Array(Vec::new()) },
        Item::Table(source) => Node { line, content: table(text, source, line) },
        Item::ArrayOfTables(tables) => {
            let members = tables.iter().map(|member| {
                let line = member.span().map_or(line, |span| line_of(text, span.start));
                Node { line, content: table(text, member, line) }
            });
            Node { line, content: Content::Array(members.collect()) }
        }
        Item::Value(value) => value_node(text, value, line),
    }
}

fn value_node(text: &str, value: &toml_edit::Value, line: usize) -> Node {
    let line = value.span().map_or(line, |span| line_of(text, span.start));
    let content = match value {
        toml_edit::Value::String(string) => {
            Content::Scalar(Value::Text(string.value().as_str().into()))
        }
        toml_edit::Value::Integer(number) => Content::Scalar(Value::Integer(*number.value())),
        toml_edit::Value::Float(number) => Content::Scalar(Value::Float(*number.value())),
        toml_edit::Value::Boolean(flag) => Content::Scalar(Value::Boolean(*flag.value())),
        toml_edit::Value::Datetime(_) => Content::Date,
        toml_edit::Value::Array(array) => {
            Content::Array(array.iter().map(|member| value_node(text, member, line)).collect())
        }
        toml_edit::Value::InlineTable(source) => table(text, source, line),
    };
    Node { line, content }
}
