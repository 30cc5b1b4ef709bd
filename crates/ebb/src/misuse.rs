//! What is said of a command line that makes no sense: as kn says it, with the same exit status.

use std::{io::Write, process::ExitCode};

use clap::{
    Command, CommandFactory,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::args::Arguments;

/// The commands that ask a running Ebb: where its data directory is, they are not told.
const ASKING: &[&str] = &["backup", "image", "revision", "route", "service"];
/// What tells them.
const TIP: &str = "\n\n  tip: an Ebb that has its own --data-dir DIR is meant by --kubeconfig DIR/kubeconfig";

/// Prints help or version, which are answers; or the error.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let (path, group) = addressed(words);
    let alone = path.len() == 1 && error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if alone || !error.use_stderr() {
        // Whoever asked for it may have stopped reading, as `head` does.
        let _ = write!(std::io::stdout(), "{text}");
        return ExitCode::SUCCESS;
    }
    let tip = if means_another_ebb(error, &path) { TIP } else { "" };
    let path = path.join(" ");
    let message = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(given))) => {
            format!("unknown sub-command '{given}' for '{path}'. {}", available(&group))
        }
        (ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, _) => {
            format!("no sub-command given for '{path}'. {}", available(&group))
        }
        _ => what_is_wrong(&text).to_owned(),
    };
    let _ = writeln!(std::io::stderr(), "Error: {message}{tip}\nRun '{path} --help' for usage");
    ExitCode::FAILURE
}

/// Whether the option that does not fit is the one that tells `ebb up` where its state is.
fn means_another_ebb(error: &clap::Error, path: &[String]) -> bool {
    let is_asking = path.get(1).is_some_and(|command| ASKING.contains(&command.as_str()));
    let option = error.get(ContextKind::InvalidArg);
    is_asking
        && error.kind() == ErrorKind::UnknownArgument
        && matches!(option, Some(ContextValue::String(option)) if option == "--data-dir")
}

/// The command that these words lead to, by its names.
fn addressed(words: impl IntoIterator<Item = String>) -> (Vec<String>, Command) {
    let mut command = Arguments::command();
    let mut path = vec![command.get_name().to_owned()];
    let mut after_flag = false;
    for word in words {
        match command.find_subcommand(&word).cloned() {
            Some(next) => {
                path.push(next.get_name().to_owned());
                command = next;
            }
            // A flag, or perhaps its value.
            None if word.starts_with('-') || after_flag => {}
            None => break,
        }
        after_flag = word.starts_with('-');
    }
    (path, command)
}

/// The first paragraphs of clap's words: what is wrong, and perhaps what was meant. How it is used is one command away, and
/// nobody means a service or a file whose name begins with a dash.
fn what_is_wrong(text: &str) -> &str {
    let end = ["\n\n  tip: to pass '", "\n\nUsage:", "\n\nFor more information"]
        .iter()
        .filter_map(|after| text.find(after))
        .min();
    text[..end.unwrap_or(text.len())].trim_start_matches("error: ").trim_end()
}

fn available(group: &Command) -> String {
    let mut names: Vec<_> =
        group.get_subcommands().filter(|command| !command.is_hide_set()).map(Command::get_name).collect();
    names.sort_unstable();
    format!("Available sub-commands: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_told_from_the_words_before_the_mistake() {
        for (words, expect) in [
            ("", "ebb"),
            ("lst service", "ebb"),
            ("service", "ebb service"),
            ("-n shop ksvc lst", "ebb service"),
            ("images ls --nope", "ebb image list"),
            ("service describe list", "ebb service describe"),
            ("up --api nonsense", "ebb up"),
        ] {
            let (path, _) = addressed(words.split_whitespace().map(str::to_owned));
            assert_eq!(path.join(" "), expect, "{words}");
        }
    }
}
