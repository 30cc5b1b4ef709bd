//! Numbers and texts.

use super::Lexer;
use crate::{issue::Issue, syntax::Literal};

impl Lexer<'_> {
    fn digits(&mut self, is: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&is) {
            self.at += 1;
        }
    }

    pub(super) fn number(&mut self) -> Result<Literal, Issue> {
        let begin = self.at;
        let hex = self.peek(0) == Some('0') && matches!(self.peek(1), Some('x' | 'X'));
        let mut whole = true;
        if hex {
            self.at += 2;
            self.digits(|char| char.is_ascii_hexdigit());
        } else {
            self.digits(|char| char.is_ascii_digit());
            if self.peek(0) == Some('.') && self.peek(1).is_some_and(|next| next.is_ascii_digit()) {
                whole = false;
                self.at += 1;
                self.digits(|char| char.is_ascii_digit());
            }
            let signed = usize::from(matches!(self.peek(1), Some('+' | '-')));
            if matches!(self.peek(0), Some('e' | 'E'))
                && self.peek(1 + signed).is_some_and(|next| next.is_ascii_digit())
            {
                whole = false;
                self.at += 1 + signed;
                self.digits(|char| char.is_ascii_digit());
            }
        }
        let text: String = self.chars[begin..self.at].iter().collect();
        if !whole {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            return number.map(Literal::Double).ok_or_else(|| Issue::new(begin, "invalid double literal"));
        }
        let (digits, radix) = match text.get(2..).filter(|_| hex) {
            Some(digits) => (digits, 16),
            None => (text.as_str(), 10),
        };
        let number = u64::from_str_radix(digits, radix).ok();
        if matches!(self.peek(0), Some('u' | 'U')) {
            self.at += 1;
            return number.map(Literal::Uint).ok_or_else(|| Issue::new(begin, "invalid uint literal"));
        }
        // The lowest number has no positive one; whoever reads the sign puts it right.
        match number {
            Some(number) if number == i64::MIN.unsigned_abs() => Ok(Literal::Int(i64::MIN)),
            number => number
                .and_then(|number| i64::try_from(number).ok())
                .map(Literal::Int)
                .ok_or_else(|| Issue::new(begin, "invalid int literal")),
        }
    }

    /// A text in quotes, after `prefix`.
    pub(super) fn text(&mut self, prefix: &str) -> Result<Literal, Issue> {
        let begin = self.at;
        self.at += prefix.len();
        let quote = self.peek(0).unwrap_or('"');
        let long = self.peek(1) == Some(quote) && self.peek(2) == Some(quote);
        let quotes = if long { 3 } else { 1 };
        self.at += quotes;
        let unclosed = |lexer: &Self| {
            let rest: String = lexer.chars[begin..].iter().collect();
            Issue::new(begin, format!("Syntax error: token recognition error at: '{rest}'"))
        };
        let (raw, bytes) = (prefix.contains('r'), prefix.contains('b'));
        let mut out = Out { text: String::new(), bytes: Vec::new(), is_bytes: bytes };
        loop {
            if (0..quotes).all(|ahead| self.peek(ahead) == Some(quote)) {
                self.at += quotes;
                return Ok(if bytes { Literal::Bytes(out.bytes) } else { Literal::String(out.text) });
            }
            match self.peek(0) {
                None => return Err(unclosed(self)),
                Some('\n' | '\r') if !long => return Err(unclosed(self)),
                Some('\\') if !raw => self.escape(&mut out)?,
                Some('\\') if self.peek(1) == Some(quote) => {
                    out.push('\\');
                    out.push(quote);
                    self.at += 2;
                }
                Some(char) => {
                    out.push(char);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self, out: &mut Out) -> Result<(), Issue> {
        let at = self.at;
        let bad = |why: &str| Issue::new(at, format!("Syntax error: {why}"));
        let kind =
            self.peek(1).ok_or_else(|| bad("unable to unescape string, found '\\' as last character"))?;
        self.at += 2;
        let plain = match kind {
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '\\' | '\'' | '"' | '`' | '?' => kind,
            'x' | 'X' => return self.code(2, 16, true, out, bad("unable to unescape string")),
            'u' => return self.code(4, 16, false, out, bad("unable to unescape string")),
            'U' => return self.code(8, 16, false, out, bad("unable to unescape string")),
            '0'..='3' => {
                self.at -= 1;
                return self.code(3, 8, true, out, bad("unable to unescape octal sequence in string"));
            }
            _ => return Err(bad(&format!("token recognition error at: '\\{kind}'"))),
        };
        out.push(plain);
        Ok(())
    }

    /// A character by its number.
    fn code(
        &mut self,
        digits: usize,
        radix: u32,
        small: bool,
        out: &mut Out,
        bad: Issue,
    ) -> Result<(), Issue> {
        let text: String = self.chars[self.at..].iter().take(digits).collect();
        let number = u32::from_str_radix(&text, radix).ok().filter(|_| text.len() == digits);
        let Some(number) = number else { return Err(bad) };
        self.at += digits;
        if out.is_bytes {
            match u8::try_from(number) {
                Ok(byte) if small => {
                    out.bytes.push(byte);
                    return Ok(());
                }
                _ => return Err(bad),
            }
        }
        out.push(char::from_u32(number).ok_or(bad)?);
        Ok(())
    }
}

struct Out {
    text: String,
    bytes: Vec<u8>,
    is_bytes: bool,
}

impl Out {
    fn push(&mut self, char: char) {
        if self.is_bytes {
            self.bytes.extend(char.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            self.text.push(char);
        }
    }
}
