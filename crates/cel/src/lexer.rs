//! From text to words (upstream: the grammar of CEL, `langdef.md`).

mod literal;

use crate::{issue::Issue, syntax::Literal};

/// A word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    Literal(Literal),
    /// A whole number that is none without the sign before it.
    Ident(String),
    /// An operator, a bracket, or a word of the language.
    Sign(&'static str),
    End,
}

/// A word and where it is, in characters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) word: Word,
    pub(crate) at: usize,
}

/// Longer ones before those that they begin with.
const SIGNS: [&str; 31] = [
    "&&", "||", "==", "!=", "<=", ">=", ".?", "[?", "{?", "(", ")", "[", "]", "{", "}", ",", ":", "?", "<",
    ">", "=", "!", "+", "-", "*", "/", "%", ".", "|", "&", ";",
];

/// The words of a text.
pub(crate) fn words(text: &str) -> Result<Vec<Token>, Issue> {
    let chars: Vec<char> = text.chars().collect();
    let mut lexer = Lexer { chars: &chars, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip();
        let at = lexer.at;
        let word = lexer.word()?;
        let end = word == Word::End;
        tokens.push(Token { word, at });
        if end {
            return Ok(tokens);
        }
    }
}

pub(crate) struct Lexer<'a> {
    chars: &'a [char],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn skip(&mut self) {
        loop {
            match self.peek(0) {
                Some(' ' | '\t' | '\r' | '\n' | '\x0c') => self.at += 1,
                Some('/') if self.peek(1) == Some('/') => {
                    while self.peek(0).is_some_and(|char| char != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn word(&mut self) -> Result<Word, Issue> {
        let Some(char) = self.peek(0) else { return Ok(Word::End) };
        if let Some(prefix) = self.before_quote() {
            return self.text(&prefix).map(Word::Literal);
        }
        if char.is_ascii_digit() || (char == '.' && self.peek(1).is_some_and(|next| next.is_ascii_digit())) {
            return self.number().map(Word::Literal);
        }
        if char.is_ascii_alphabetic() || char == '_' {
            return Ok(self.name());
        }
        let sign = SIGNS
            .iter()
            .find(|sign| sign.chars().enumerate().all(|(ahead, char)| self.peek(ahead) == Some(char)));
        let Some(sign) = sign.filter(|sign| !["|", "&", ";", "="].contains(*sign)) else {
            let why = format!("Syntax error: token recognition error at: '{char}'");
            return Err(Issue::new(self.at, why));
        };
        self.at += sign.len();
        Ok(Word::Sign(sign))
    }

    /// What stands before a quote here: `r`, `b`, both or nothing.
    fn before_quote(&self) -> Option<String> {
        let is_quote = |char: Option<char>| matches!(char, Some('"' | '\''));
        let mut prefix = String::new();
        for ahead in 0..3 {
            if is_quote(self.peek(ahead)) {
                return Some(prefix);
            }
            match self.peek(ahead)?.to_ascii_lowercase() {
                char @ ('r' | 'b') if !prefix.contains(char) => prefix.push(char),
                _ => return None,
            }
        }
        None
    }

    fn name(&mut self) -> Word {
        let begin = self.at;
        while self.peek(0).is_some_and(|char| char.is_ascii_alphanumeric() || char == '_') {
            self.at += 1;
        }
        let name: String = self.chars[begin..self.at].iter().collect();
        match name.as_str() {
            "true" => Word::Literal(Literal::Bool(true)),
            "false" => Word::Literal(Literal::Bool(false)),
            "null" => Word::Literal(Literal::Null),
            "in" => Word::Sign("in"),
            _ => Word::Ident(name),
        }
    }
}
