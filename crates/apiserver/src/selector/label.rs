//! Label selectors: `app=x,tier!=db,env in (a,b),!legacy`.

use std::collections::BTreeMap;

use resources::names::dns;

use crate::store::pairs::{Pairs, value};

/// A conjunction of requirements; the empty one matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    DoesNotExist,
    In(Vec<String>),
    NotIn(Vec<String>),
    GreaterThan(i64),
    LessThan(i64),
}

impl LabelSelector {
    /// Each of these labels with exactly this value.
    pub(crate) fn equal(labels: &BTreeMap<String, String>) -> Self {
        let equal = |(key, value): (&String, &String)| Requirement {
            key: key.clone(),
            operator: Operator::In(vec![value.clone()]),
        };
        Self { requirements: labels.iter().map(equal).collect() }
    }

    /// Reads the query parameter.
    ///
    /// # Errors
    /// A sentence that says what was found where something else was expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Tokens { rest: text };
        let mut requirements = Vec::new();
        if tokens.peek() == Token::End {
            return Ok(Self::default());
        }
        loop {
            let requirement =
                requirement(&mut tokens).map_err(|why| format!("unable to parse requirement: {why}"))?;
            requirements.push(requirement);
            match tokens.next() {
                Token::End => return Ok(Self { requirements }),
                Token::Comma if tokens.peek() == Token::End => {
                    return Err("found '', expected: identifier after ','".to_owned());
                }
                Token::Comma => {}
                other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.text())),
            }
        }
    }

    /// A label and the one value that it must have, if the selector asks for such.
    pub(crate) fn exact(&self) -> Option<(&str, &str)> {
        self.requirements.iter().find_map(|requirement| match &requirement.operator {
            Operator::In(values) if values.len() == 1 => Some((requirement.key.as_str(), values[0].as_str())),
            _ => None,
        })
    }

    pub(crate) fn matches(&self, labels: &Pairs) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(value(labels, &requirement.key)))
    }
}

impl Requirement {
    fn matches(&self, label: Option<&str>) -> bool {
        let number = || label.and_then(|text| text.parse::<i64>().ok());
        match &self.operator {
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::In(values) => label.is_some_and(|label| values.iter().any(|value| value == label)),
            Operator::NotIn(values) => label.is_none_or(|label| values.iter().all(|value| value != label)),
            Operator::GreaterThan(bound) => number().is_some_and(|number| number > *bound),
            Operator::LessThan(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

fn requirement(tokens: &mut Tokens<'_>) -> Result<Requirement, String> {
    if tokens.peek() == Token::Not {
        tokens.next();
        return Ok(Requirement { key: key(tokens)?, operator: Operator::DoesNotExist });
    }
    let key = key(tokens)?;
    let operator = match tokens.peek() {
        Token::End | Token::Comma => return Ok(Requirement { key, operator: Operator::Exists }),
        _ => tokens.next(),
    };
    let operator = match operator {
        Token::Equal => Operator::In(vec![one_value(tokens)]),
        Token::NotEqual => Operator::NotIn(vec![one_value(tokens)]),
        Token::Word("in") => Operator::In(values(tokens)?),
        Token::Word("notin") => Operator::NotIn(values(tokens)?),
        Token::Greater => Operator::GreaterThan(number(tokens)?),
        Token::Less => Operator::LessThan(number(tokens)?),
        other => {
            return Err(format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", other.text()));
        }
    };
    Ok(Requirement { key, operator })
}

fn key(tokens: &mut Tokens<'_>) -> Result<String, String> {
    match tokens.next() {
        Token::Word(word) => match dns::qualified_name(word).first() {
            Some(why) => Err(format!("<nil>: Invalid value: {word:?}: {why}")),
            None => Ok(word.to_owned()),
        },
        other => Err(format!("found '{}', expected: !, identifier, or 'end of string'", other.text())),
    }
}

/// A value may be empty: `app=`.
fn one_value(tokens: &mut Tokens<'_>) -> String {
    match tokens.peek() {
        Token::Word(word) => {
            tokens.next();
            word.to_owned()
        }
        _ => String::new(),
    }
}

fn number(tokens: &mut Tokens<'_>) -> Result<i64, String> {
    let text = one_value(tokens);
    text.parse().map_err(|_| {
        format!(
            "values[0]: Invalid value: \"{text}\": for 'Gt', 'Lt' operators, the value must be an integer"
        )
    })
}

fn values(tokens: &mut Tokens<'_>) -> Result<Vec<String>, String> {
    match tokens.next() {
        Token::Open => {}
        other => return Err(format!("found '{}', expected: '('", other.text())),
    }
    let mut values = Vec::new();
    loop {
        values.push(one_value(tokens));
        match tokens.next() {
            Token::Comma => {}
            Token::Close => return Ok(values),
            other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Comma,
    Open,
    Close,
    Not,
    Equal,
    NotEqual,
    Greater,
    Less,
    End,
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Word(word) => word,
            Self::Comma => ",",
            Self::Open => "(",
            Self::Close => ")",
            Self::Not => "!",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::Less => "<",
            Self::End => "",
        }
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn peek(&self) -> Token<'a> {
        Tokens { rest: self.rest }.next()
    }

    fn next(&mut self) -> Token<'a> {
        const SYMBOLS: [(&str, Token<'static>); 9] = [
            ("==", Token::Equal),
            ("!=", Token::NotEqual),
            ("=", Token::Equal),
            ("!", Token::Not),
            (",", Token::Comma),
            ("(", Token::Open),
            (")", Token::Close),
            (">", Token::Greater),
            ("<", Token::Less),
        ];
        self.rest = self.rest.trim_start();
        if self.rest.is_empty() {
            return Token::End;
        }
        for (symbol, token) in SYMBOLS {
            if let Some(rest) = self.rest.strip_prefix(symbol) {
                self.rest = rest;
                return token;
            }
        }
        let end = self.rest.find(|char: char| char.is_whitespace() || "=!,()<>".contains(char));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Token::Word(word)
    }
}

#[cfg(test)]
mod tests;
