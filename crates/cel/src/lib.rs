//! The Common Expression Language as Kubernetes speaks it, for the rules of users' kinds.
//!
//! ```text
//!   text ─ lexer ─► words ─ parse ─► tree ─ check ─► tree with types, or what is wrong and where
//!                                               ├─ estimate ─► what it can cost at most
//!                                               └─ eval ─────► a value, within a Budget
//! ```
//!
//! It knows JSON and what is [`Declared`] of it, and nothing of Kubernetes' objects. It must never take more time or
//! memory than a [`Budget`] allows, whatever the expression: everything is counted before it is done, expressions are
//! not deeper in each other than [`LEVELS_MAX`], and nothing is copied that can be looked at where it is.
//!
//! Upstream: `github.com/google/cel-go` 0.26 and `k8s.io/apiserver/pkg/cel`, with the libraries that Kubernetes 1.34
//! lets new rules use. Words of errors are theirs, but for those of the grammar, which come from another parser.

mod budget;
mod check;
mod declared;
mod estimate;
mod eval;
mod functions;
mod issue;
mod kind;
mod lexer;
mod library;
mod limits;
mod parse;
mod price;
mod program;
mod syntax;
mod unify;
mod value;

pub use self::{
    budget::{Budget, Formats},
    declared::{Declared, Field, Lists, Object, escape},
    eval::Failure,
    kind::Type,
    library::patterns::{PatternSource, pattern_states},
    limits::{BYTES_MAX, CHARS_MAX, COST_MAX, LEVELS_MAX, STEPS_MAX},
    program::Program,
    value::{Text, Value},
};
