//! A recursive-descent parser that checks types as it goes.

use super::evaluate::{Arithmetic, Comparison, Logical, Numeric, Textual};
use crate::error::did_you_mean;
use crate::hyperparameter::{HYPERPARAMETERS, HyperparameterId, Kind};
use crate::limits::Limits;

/// Parentheses and `not` nest at most this deep, so that no input exhausts the stack.
const MAX_NESTING: usize = 50;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Name(String),
    Symbol(&'static str),
    End,
}

/// An expression whose type is known.
enum Typed {
    Numeric(Numeric),
    Textual(Textual),
    Logical(Logical),
}

impl Typed {
    fn type_name(&self) -> &'static str {
        match self {
            Typed::Numeric(_) => "a number",
            Typed::Textual(_) => "a text",
            Typed::Logical(_) => "a truth value",
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Logical, String> {
    if text.len() > Limits::CONDITION_LENGTH {
        return Err(format!(
            "the condition is longer than {} characters",
            Limits::CONDITION_LENGTH
        ));
    }
    let mut parser = Parser { tokens: tokenize(text)?, next: 0, nesting: 0 };
    let start = parser.column();
    let expression = parser.disjunction()?;
    if *parser.peek() != Token::End {
        return Err(format!("column {}: unexpected {}", parser.column(), describe(parser.peek())));
    }
    logical(expression, start)
}

const SYMBOLS: &[&str] = &[
    "<=", ">=", "==", "!=", "&&", "||", "**", "<", ">", "=", "!", "+", "-", "*", "/", "%", "(", ")",
];

fn tokenize(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let column = text.chars().count() - rest.chars().count() + 1;
        let Some(first) = rest.chars().next() else {
            tokens.push((column, Token::End));
            return Ok(tokens);
        };
        let (token, length) = if first.is_ascii_digit() || first == '.' {
            number(rest, column)?
        } else if first.is_alphabetic() || first == '_' {
            let length =
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (Token::Name(rest[..length].to_owned()), length)
        } else if first == '"' || first == '\'' {
            let Some(end) = rest[1..].find(first) else {
                return Err(format!("column {column}: the quoted text does not end"));
            };
            (Token::Text(rest[1..=end].to_owned()), end + 2)
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            return Err(format!("column {column}: unexpected character '{first}'"));
        };
        tokens.push((column, token));
        rest = &rest[length..];
    }
}

fn number(rest: &str, column: usize) -> Result<(Token, usize), String> {
    let bytes = rest.as_bytes();
    let mut length = 0;
    while length < bytes.len() {
        let exponent_sign = matches!(bytes[length], b'+' | b'-')
            && length > 0
            && matches!(bytes[length - 1], b'e' | b'E');
        if !(bytes[length].is_ascii_digit()
            || matches!(bytes[length], b'.' | b'e' | b'E')
            || exponent_sign)
        {
            break;
        }
        length += 1;
    }
    let digits = &rest[..length];
    let value =
        digits.parse().map_err(|_| format!("column {column}: \"{digits}\" is not a number"))?;
    Ok((Token::Number(value), length))
}

fn describe(token: &Token) -> String {
    match token {
        Token::Number(value) => format!("number {value}"),
        Token::Text(text) => format!("text \"{text}\""),
        Token::Name(name) => format!("\"{name}\""),
        Token::Symbol(symbol) => format!("\"{symbol}\""),
        Token::End => "end of the condition".to_owned(),
    }
}

fn logical(expression: Typed, column: usize) -> Result<Logical, String> {
    match expression {
        Typed::Logical(logical) => Ok(logical),
        other => Err(format!(
            "column {column}: expected a comparison such as depth <= 4, found {}",
            other.type_name()
        )),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    nesting: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].1
    }

    fn column(&self) -> usize {
        self.tokens[self.next].0
    }

    fn advance(&mut self) -> Token {
        let token = self.tokens[self.next].1.clone();
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
        token
    }

    /// Takes the next token if it is one of these symbols or words.
    fn take(&mut self, spellings: &[&'static str]) -> Option<&'static str> {
        let found = match self.peek() {
            Token::Symbol(symbol) => spellings.iter().find(|spelling| *spelling == symbol),
            Token::Name(name) => spellings.iter().find(|spelling| **spelling == name.as_str()),
            _ => None,
        }
        .copied();
        if found.is_some() {
            self.advance();
        }
        found
    }

    fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(format!("column {}: nested more than {MAX_NESTING} deep", self.column()));
        }
        let result = parse(self);
        self.nesting -= 1;
        result
    }

    fn disjunction(&mut self) -> Result<Typed, String> {
        self.chain(&["or", "||"], Self::conjunction, Logical::Or)
    }

    fn conjunction(&mut self) -> Result<Typed, String> {
        self.chain(&["and", "&&"], Self::negation, Logical::And)
    }

    fn chain(
        &mut self,
        words: &[&'static str],
        operand: fn(&mut Self) -> Result<Typed, String>,
        combine: fn(Box<Logical>, Box<Logical>) -> Logical,
    ) -> Result<Typed, String> {
        let start = self.column();
        let mut left = operand(self)?;
        while self.take(words).is_some() {
            let column = self.column();
            let right = logical(operand(self)?, column)?;
            left = Typed::Logical(combine(Box::new(logical(left, start)?), Box::new(right)));
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Typed, String> {
        if self.take(&["not", "!"]).is_none() {
            return self.comparison();
        }
        let column = self.column();
        let inner = self.nested(Self::negation)?;
        Ok(Typed::Logical(Logical::Not(Box::new(logical(inner, column)?))))
    }

    fn comparison(&mut self) -> Result<Typed, String> {
        let left = self.sum()?;
        let column = self.column();
        let Some(symbol) = self.take(&["<=", ">=", "==", "!=", "<", ">", "="]) else {
            return Ok(left);
        };
        let comparison = match symbol {
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            "!=" => Comparison::NotEqual,
            _ => Comparison::Equal,
        };
        let right = self.sum()?;
        compare(comparison, left, right, column)
    }

    fn sum(&mut self) -> Result<Typed, String> {
        self.arithmetic(&["+", "-"], Self::product)
    }

    fn product(&mut self) -> Result<Typed, String> {
        self.arithmetic(&["*", "/", "%"], Self::power)
    }

    fn arithmetic(
        &mut self,
        symbols: &[&'static str],
        operand: fn(&mut Self) -> Result<Typed, String>,
    ) -> Result<Typed, String> {
        let start = self.column();
        let mut left = operand(self)?;
        while let Some(symbol) = self.take(symbols) {
            let column = self.column();
            let right = numeric(operand(self)?, column)?;
            let operator = match symbol {
                "+" => Arithmetic::Add,
                "-" => Arithmetic::Subtract,
                "*" => Arithmetic::Multiply,
                "/" => Arithmetic::Divide,
                _ => Arithmetic::Remainder,
            };
            let left_number = Box::new(numeric(left, start)?);
            left = Typed::Numeric(Numeric::Binary(operator, left_number, Box::new(right)));
        }
        Ok(left)
    }

    fn power(&mut self) -> Result<Typed, String> {
        let column = self.column();
        if self.take(&["-"]).is_some() {
            let inner = self.nested(Self::power)?;
            return Ok(Typed::Numeric(Numeric::Negate(Box::new(numeric(inner, column)?))));
        }
        let base = self.atom()?;
        if self.take(&["**"]).is_none() {
            return Ok(base);
        }
        let exponent = self.nested(Self::power)?;
        let (base, exponent) = (numeric(base, column)?, numeric(exponent, column)?);
        Ok(Typed::Numeric(Numeric::Binary(Arithmetic::Power, Box::new(base), Box::new(exponent))))
    }

    fn atom(&mut self) -> Result<Typed, String> {
        let column = self.column();
        match self.advance() {
            Token::Number(value) => Ok(Typed::Numeric(Numeric::Constant(value))),
            Token::Text(text) => Ok(Typed::Textual(Textual::Constant(text.into()))),
            Token::Symbol("(") => {
                let inner = self.nested(Self::disjunction)?;
                if self.take(&[")"]).is_none() {
                    return Err(format!("column {}: expected \")\"", self.column()));
                }
                Ok(inner)
            }
            Token::Name(name) if name == "true" || name == "false" => {
                Ok(Typed::Logical(Logical::Constant(name == "true")))
            }
            Token::Name(name) => hyperparameter(&name, column),
            other => Err(format!(
                "column {column}: expected a hyperparameter, a number or a quoted text, found {}",
                describe(&other)
            )),
        }
    }
}

fn hyperparameter(name: &str, column: usize) -> Result<Typed, String> {
    let Some(id) = HyperparameterId::from_name(name) else {
        let hint = did_you_mean(name, HYPERPARAMETERS.iter().map(|known| known.name));
        return Err(format!("column {column}: \"{name}\" is not a hyperparameter{hint}"));
    };
    Ok(match id.definition().kind {
        Kind::Integer { .. } | Kind::Float { .. } => Typed::Numeric(Numeric::Of(id)),
        Kind::Boolean => Typed::Logical(Logical::Of(id)),
        Kind::Choice(_) | Kind::Task => Typed::Textual(Textual::Of(id)),
    })
}

fn numeric(expression: Typed, column: usize) -> Result<Numeric, String> {
    match expression {
        Typed::Numeric(number) => Ok(number),
        other => Err(format!("column {column}: expected a number, found {}", other.type_name())),
    }
}

fn compare(
    comparison: Comparison,
    left: Typed,
    right: Typed,
    column: usize,
) -> Result<Typed, String> {
    let equality = match comparison {
        Comparison::Equal => Some(true),
        Comparison::NotEqual => Some(false),
        _ => None,
    };
    let logical = match (left, right, equality) {
        (Typed::Numeric(left), Typed::Numeric(right), _) => {
            Logical::Numbers(comparison, left, right)
        }
        (Typed::Textual(left), Typed::Textual(right), Some(equal)) => {
            check_choice(&left, &right, column)?;
            check_choice(&right, &left, column)?;
            Logical::Texts { equal, left, right }
        }
        (Typed::Logical(left), Typed::Logical(right), Some(equal)) => {
            Logical::Booleans { equal, left: Box::new(left), right: Box::new(right) }
        }
        (left, right, _) => {
            return Err(format!(
                "column {column}: cannot compare {} with {} this way",
                left.type_name(),
                right.type_name()
            ));
        }
    };
    Ok(Typed::Logical(logical))
}

/// A choice compared with a name it cannot have is a misspelling, not a condition.
fn check_choice(side: &Textual, other: &Textual, column: usize) -> Result<(), String> {
    if let (Textual::Of(id), Textual::Constant(name)) = (side, other)
        && let Kind::Choice(names) = id.definition().kind
        && !names.contains(&name.as_ref())
    {
        let hint = did_you_mean(name, names.iter().copied());
        return Err(format!("column {column}: {} is never \"{name}\"{hint}", id.name()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::condition::Condition;
    use crate::hyperparameter::Hyperparameters;

    fn holds(text: &str) -> bool {
        let trial =
            Hyperparameters { depth: 4, width: 32, learning_rate: 0.1, ..Default::default() };
        Condition::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).holds(&trial)
    }

    #[test]
    fn arithmetic_and_logic_bind_as_in_python() {
        assert!(holds("depth * width <= 128"));
        assert!(!holds("depth * width < 128"));
        assert!(holds("1 + 2 * 3 == 7"));
        assert!(holds("-2 ** 2 == -4"));
        assert!(holds("2 ** 3 ** 2 == 512"));
        assert!(holds("depth == 1 or width == 32 and depth == 4"));
        assert!(holds("not batch_norm and optimizer == 'sgd'"));
        assert!(holds("learning_rate >= 1e-1 && !(activation == \"tanh\")"));
        assert!(holds("batch_norm == false"));
        assert!(holds("width % 5 = 2"));
    }

    #[test]
    fn mistakes_are_named_with_their_column() {
        let error = |text: &str| Condition::parse(text).expect_err("refused");
        assert_eq!(
            error("dept < 3"),
            "column 1: \"dept\" is not a hyperparameter (did you mean \"depth\"?)"
        );
        assert_eq!(
            error("depth + 1"),
            "column 1: expected a comparison such as depth <= 4, found a number"
        );
        assert_eq!(
            error("depth < \"a\""),
            "column 7: cannot compare a number with a text this way"
        );
        assert_eq!(error("(depth < 3"), "column 11: expected \")\"");
        assert_eq!(error("depth < 3 4"), "column 11: unexpected number 4");
        assert_eq!(
            error("optimizer == 'sgdd'"),
            "column 11: optimizer is never \"sgdd\" (did you mean \"sgd\"?)"
        );
        assert_eq!(error("depth < ;"), "column 9: unexpected character ';'");
        assert_eq!(
            error(""),
            "column 1: expected a hyperparameter, a number or a quoted text, found end of the condition"
        );
        assert!(error(&"(".repeat(200)).contains("nested more than"));
        assert!(error(&"not ".repeat(200)).contains("nested more than"));
    }
}
