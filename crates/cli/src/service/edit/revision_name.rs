//! `--revision-name`: a name of the user's own for the next revision.

use resources::{Object, serving::Service};

/// The letters of random parts: no vowels, so no words.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxyz";
/// The longest random part: that of a name.
const RANDOM_MAX: usize = 63;

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct RevisionNameArgs {
    /// Name of the new revision; may hold {{.Service}}, {{.Generation}} and {{.Random N}} (N letters). The service's
    /// name is put in front unless it is there
    #[arg(long, value_name = "TEMPLATE")]
    revision_name: Option<String>,
}

impl RevisionNameArgs {
    pub(super) fn apply(&self, service: &mut Service, random: fn() -> u64) -> Result<(), String> {
        let Some(template) = self.revision_name.as_deref().filter(|template| !template.is_empty()) else {
            return Ok(());
        };
        let name = render(template, service.name(), service.generation() + 1, random)?;
        let prefix = format!("{}-", service.name());
        let name =
            if name.is_empty() || name.starts_with(&prefix) { name } else { format!("{prefix}{name}") };
        service.spec.template.metadata.name = (!name.is_empty()).then_some(name);
        Ok(())
    }
}

fn render(template: &str, service: &str, generation: i64, random: fn() -> u64) -> Result<String, String> {
    let mut name = String::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once("{{") {
        let wrong = |what: &str| {
            format!(
                "--revision-name: `{what}` is not known; use {{{{.Service}}}}, {{{{.Generation}}}} or {{{{.Random N}}}}"
            )
        };
        let (action, after) = after.split_once("}}").ok_or_else(|| wrong(after))?;
        name.push_str(text);
        rest = after;
        match action.split_whitespace().collect::<Vec<_>>().as_slice() {
            [".Service"] => name.push_str(service),
            [".Generation"] => name.push_str(&generation.to_string()),
            [".Random", count] => match count.parse::<usize>() {
                Ok(count) if count <= RANDOM_MAX => name.extend((0..count).map(|_| letter(random()))),
                _ => return Err(wrong(action)),
            },
            _ => return Err(wrong(action)),
        }
    }
    name.push_str(rest);
    Ok(name)
}

fn letter(random: u64) -> char {
    let count = LETTERS.len() as u64;
    // The remainder is below the number of letters.
    char::from(LETTERS[(random % count) as usize])
}
