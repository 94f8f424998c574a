//! Parameters of a canned hunt: typed values that take the place of `$name` in a query.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Expr, Value, visit_expressions_mut};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

/// What a parameter's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A text.
    Text,
    /// A span of time, as `90m` or `7d`.
    Span,
}

impl Kind {
    const ALL: [(&'static str, Self); 5] = [
        ("integer", Self::Integer),
        ("number", Self::Number),
        ("boolean", Self::Boolean),
        ("text", Self::Text),
        ("span", Self::Span),
    ];

    /// Its name in headers.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// A value as a literal of SQL; none where it is not of this kind.
    fn literal(self, value: &str) -> Option<String> {
        match self {
            Self::Integer => value.parse::<i64>().ok().map(|number| number.to_string()),
            Self::Number => {
                value.parse::<f64>().ok().filter(|number| number.is_finite()).map(|_| value.into())
            }
            Self::Boolean => value.parse::<bool>().ok().map(|truth| truth.to_string()),
            Self::Text => Some(format!("'{}'", value.replace('\'', "''"))),
            Self::Span => {
                let span = value.parse::<jiff::Span>().ok()?;
                let days = jiff::SpanRelativeTo::days_are_24_hours();
                let seconds = span.to_duration(days).ok()?.as_secs();
                (seconds >= 0).then(|| format!("INTERVAL '{seconds} SECOND'"))
            }
        }
    }
}

/// A parameter with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, without `$`.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// Its value, as it is written.
    pub value: String,
    /// What it means.
    pub doc: String,
}

impl Parameter {
    /// A text that has its value.
    #[must_use]
    pub fn text(name: &str, value: &str) -> Self {
        Self { name: name.into(), kind: Kind::Text, value: value.into(), doc: String::new() }
    }

    /// A parameter with its default; texts stand in quotes in a header.
    pub(super) fn new(name: &str, kind: &str, default: &str, doc: &str) -> Result<Self, String> {
        let kind = Kind::ALL.iter().find(|(known, _)| *known == kind).ok_or_else(|| {
            let names = Kind::ALL.map(|(name, _)| name).join(", ");
            format!("the parameter {name} is of an unknown kind {kind:?}; there are {names}")
        })?;
        let mut parameter =
            Self { name: name.into(), kind: kind.1, value: String::new(), doc: doc.into() };
        parameter.set(default.trim_matches('\''))?;
        Ok(parameter)
    }

    /// Gives it a value.
    pub(super) fn set(&mut self, value: &str) -> Result<(), String> {
        if self.kind.literal(value).is_none() {
            let what = match self.kind {
                Kind::Integer => "a whole number",
                Kind::Number => "a number",
                Kind::Boolean => "true or false",
                Kind::Text => "a text",
                Kind::Span => "a span of time such as 90m or 7d",
            };
            return Err(format!("{}={value}: that is not {what}", self.name));
        }
        value.clone_into(&mut self.value);
        Ok(())
    }

    fn expression(&self) -> Option<Expr> {
        let literal = self.kind.literal(&self.value)?;
        Parser::new(&GenericDialect {}).try_with_sql(&literal).ok()?.parse_expr().ok()
    }
}

/// Puts values in the place of `$name`.
///
/// # Errors
/// The query has a `$name` that is not among them.
pub fn fill(statement: &mut Statement, values: &[Parameter]) -> Result<(), String> {
    let Statement::Statement(statement) = statement else { return Ok(()) };
    let outcome = visit_expressions_mut(statement.as_mut(), |expression: &mut Expr| {
        let Expr::Value(value) = &*expression else { return ControlFlow::Continue(()) };
        let Value::Placeholder(name) = &value.value else { return ControlFlow::Continue(()) };
        let known = values.iter().find(|value| name.strip_prefix('$') == Some(&value.name));
        match known.and_then(Parameter::expression) {
            Some(literal) => {
                *expression = literal;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(format!("the query has {name}, which its header lacks")),
        }
    });
    match outcome {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(reason) => Err(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_of_their_kind_and_nothing_else() {
        for (kind, value, expected) in [
            (Kind::Integer, "-3", Some("-3")),
            (Kind::Integer, "3; DROP", None),
            (Kind::Number, "1e3", Some("1e3")),
            (Kind::Number, "NaN", None),
            (Kind::Boolean, "true", Some("true")),
            (Kind::Boolean, "1", None),
            (Kind::Text, "it's", Some("'it''s'")),
            (Kind::Text, "' OR 1=1 --", Some("''' OR 1=1 --'")),
            (Kind::Span, "7d", Some("INTERVAL '604800 SECOND'")),
            (Kind::Span, "-7d", None),
            (Kind::Span, "soon", None),
        ] {
            assert_eq!(kind.literal(value).as_deref(), expected, "{kind:?} {value}");
        }
    }
}
