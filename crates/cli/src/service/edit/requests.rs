//! `--request` and `--limit`.

use std::collections::BTreeMap;

use resources::{builtin::Container, meta::Quantity, quantity};

use super::pairs::{Edit, edits_allowing_singles};

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct ResourceArgs {
    /// What one instance asks for: cpu=100m,memory=256Mi; NAME- takes it away
    #[arg(long, value_name = "NAME=QUANTITY", value_delimiter = ',')]
    request: Vec<String>,
    /// What one instance may use at most: cpu=1,memory=512Mi; NAME- takes it away
    #[arg(long, value_name = "NAME=QUANTITY", value_delimiter = ',')]
    limit: Vec<String>,
}

impl ResourceArgs {
    pub(super) fn apply(&self, container: &mut Container) -> Result<(), String> {
        if *self == Self::default() {
            return Ok(());
        }
        let resources = container.resources.get_or_insert_default();
        change(&mut resources.requests, &self.request)?;
        change(&mut resources.limits, &self.limit)
    }
}

fn change(amounts: &mut Option<BTreeMap<String, Quantity>>, texts: &[String]) -> Result<(), String> {
    for edit in edits_allowing_singles(texts)? {
        let amounts = amounts.get_or_insert_default();
        match edit {
            Edit::Set(name, amount) if quantity::nanos(amount).is_some() => {
                amounts.insert(name.to_owned(), Quantity(amount.to_owned()));
            }
            Edit::Set(name, amount) => {
                return Err(format!("{amount:?} is no quantity for {name}; examples: 100m, 0.5, 256Mi, 1Gi"));
            }
            Edit::Unset(name) => {
                amounts.remove(name);
            }
        }
    }
    amounts.take_if(|amounts| amounts.is_empty());
    Ok(())
}
