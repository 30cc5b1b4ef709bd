//! The images that Revisions run, that no registry has, and that are not on this machine: as after `ebb restore`, since no
//! backup has images. Whoever comes to such a Revision when it is at zero would be the first to hear of it.

use std::collections::BTreeMap;

use images::{Reference, Store};
use objects::{Client, ListOptions};
use resources::{
    Object,
    image_name::{ImageName, LOCAL_REGISTRIES},
    labels::{ROUTING_STATE, ROUTING_STATE_RESERVE},
    serving::Revision,
};

use super::say;

/// How many Revisions are read at a time, and how often.
const PAGE_MAX: usize = 500;
const PAGES_MAX: usize = 100;
/// So many images are enough to stop looking for more.
const COUNTED_MAX: usize = 1000;
/// How many are named, and how many Revisions of each.
const NAMED_MAX: usize = 10;
const REVISIONS_NAMED_MAX: usize = 3;

/// Images by the names to load them under.
#[derive(Debug, Default)]
struct Missing {
    images: BTreeMap<String, Users>,
    /// Not all Revisions were looked at.
    has_more: bool,
}

/// The Revisions that run an image.
#[derive(Debug, Default)]
struct Users {
    /// The first of them, each with the build that it wants, where that is known.
    named: Vec<String>,
    count: usize,
}

/// Says which are missing, if any are.
pub(super) async fn tell(client: Client, store: Store) {
    match find(&client, &store).await {
        Ok(missing) => {
            if let Some(text) = missing.told() {
                say(&text);
            }
        }
        Err(error) => tracing::debug!(%error, "could not look for images that are missing"),
    }
}

async fn find(client: &Client, store: &Store) -> objects::Result<Missing> {
    let is_missing = |image: &str| {
        let reference = image.parse::<Reference>();
        let is_local = ImageName::split(image).is_of(LOCAL_REGISTRIES);
        is_local && reference.is_ok_and(|reference| store.get(&reference).is_none())
    };
    let mut missing = Missing::default();
    let mut options = ListOptions { limit: PAGE_MAX, ..ListOptions::all() };
    for _ in 0..PAGES_MAX {
        let page = client.backend().list(Revision::kind(), &options).await?;
        for revision in page.items.into_iter().filter_map(resources::downcast::<Revision>) {
            missing.note(&revision, is_missing);
        }
        missing.has_more = page.next.is_some();
        match page.next {
            Some(next) if missing.images.len() < COUNTED_MAX => options.continue_token = Some(next),
            _ => break,
        }
        // What is asked of the platform goes first.
        tokio::task::yield_now().await;
    }
    Ok(missing)
}

impl Missing {
    /// Notes what of a Revision's is missing. One that no Route leads to any more runs nothing.
    fn note(&mut self, revision: &Revision, is_missing: impl Fn(&str) -> bool) {
        if revision.label(ROUTING_STATE) == Some(ROUTING_STATE_RESERVE) {
            return;
        }
        // A Revision that has an image in two containers counts once.
        let missing = images(revision).filter(|image| is_missing(image.runs));
        let missing: BTreeMap<_, _> = missing.map(|image| (image.named, image.runs)).collect();
        for (named, runs) in missing {
            let digest = ImageName::split(runs).digest;
            let build = digest.map_or(String::new(), |digest| format!(" at {}", cli::short_digest(digest)));
            let user = format!("{}/{}{build}", revision.namespace(), revision.name());
            self.images.entry(named.to_owned()).or_default().add(user);
        }
    }

    fn told(&self) -> Option<String> {
        let count = self.images.len();
        let (images, them, archives) = match count {
            0 => return None,
            1 => ("image", "it", "its archive"),
            _ => ("images", "them", "their archives"),
        };
        let count = if self.has_more { format!("at least {count}") } else { count.to_string() };
        let named = self.images.iter().take(NAMED_MAX);
        let mut lines: Vec<_> = named.map(|(image, users)| format!("  {image} ({})", users.told())).collect();
        if self.images.len() > NAMED_MAX {
            lines.push(format!("  and {} more", self.images.len() - NAMED_MAX));
        }
        Some(format!(
            "Missing: {count} {images} that Revisions run; no registry and no backup has {them}.\n{}\n\
             Load {them} from {archives}:  ebb image load FILE --name IMAGE",
            lines.join("\n"),
        ))
    }
}

impl Users {
    fn add(&mut self, user: String) {
        self.count += 1;
        if self.named.len() < REVISIONS_NAMED_MAX {
            self.named.push(user);
        }
    }

    fn told(&self) -> String {
        let named = self.named.join(", ");
        match (self.count, self.count - self.named.len()) {
            (1, _) => format!("revision {named}"),
            (_, 0) => format!("revisions {named}"),
            (_, more) => format!("revisions {named} and {more} more"),
        }
    }
}

/// An image of a Revision.
struct Image<'a> {
    /// What it was pinned to, and while it is not, what it names.
    runs: &'a str,
    /// As its user knows it.
    named: &'a str,
}

fn images(revision: &Revision) -> impl Iterator<Item = Image<'_>> {
    let (spec, status) = (&revision.spec, &revision.status);
    let statuses = status.container_statuses.iter().chain(&status.init_container_statuses);
    let pinned: BTreeMap<&str, &str> = statuses
        .map(|status| (status.name.as_str(), status.image_digest.as_str()))
        .filter(|(_, digest)| !digest.is_empty())
        .collect();
    spec.containers.iter().chain(&spec.init_containers).filter_map(move |container| {
        let image = container.image.as_deref()?;
        Some(Image {
            runs: pinned.get(container.name.as_str()).copied().unwrap_or(image),
            named: cli::user_image(&revision.metadata, image).unwrap_or(image),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn revision(name: &str, state: &str, image: &str, digest: &str) -> Revision {
        serde_json::from_value(json!({
            "metadata": {
                "name": name, "namespace": "default",
                "labels": { ROUTING_STATE: state },
                "annotations": { "client.knative.dev/user-image": "dev.local/hello:1" },
            },
            "spec": { "containers": [{ "name": "main", "image": image }] },
            "status": { "containerStatuses": [{ "name": "main", "imageDigest": digest }] },
        }))
        .unwrap()
    }

    #[test]
    fn what_is_missing_has_the_name_that_its_user_gave_it() {
        const PINNED: &str = "dev.local/hello@sha256:0a";
        for (state, image, digest, expect) in [
            ("active", "dev.local/hello:1", PINNED, Some(("dev.local/hello:1", " at 0a"))),
            ("pending", PINNED, PINNED, Some(("dev.local/hello:1", " at 0a"))),
            ("active", PINNED, "", Some(("dev.local/hello:1", " at 0a"))),
            // The tag leads elsewhere by now, and what was pinned is there.
            ("active", "dev.local/gone:1", "dev.local/gone@sha256:0b", None),
            ("active", "dev.local/gone:1", "", Some(("dev.local/gone:1", ""))),
            ("reserve", "dev.local/gone:1", "", None),
        ] {
            let mut missing = Missing::default();
            let is_missing = |image: &str| [PINNED, "dev.local/gone:1"].contains(&image);
            missing.note(&revision("r-1", state, image, digest), is_missing);
            let told =
                |(name, build): (&str, &str)| (name.to_owned(), format!("revision default/r-1{build}"));
            let expect: Vec<_> = expect.map(told).into_iter().collect();
            let found = missing.images.into_iter().map(|(name, users)| (name, users.told()));
            assert_eq!(found.collect::<Vec<_>>(), expect, "{state} {image} {digest}");
        }
    }

    #[test]
    fn so_many_are_named_and_the_rest_is_counted() {
        let mut missing = Missing::default();
        assert_eq!(missing.told(), None);
        let name = |number: usize| format!("dev.local/app-{number:02}:1");
        missing.note(&revision("r-00", "active", &name(0), ""), |_| true);
        assert_eq!(
            missing.told().unwrap(),
            "Missing: 1 image that Revisions run; no registry and no backup has it.\n  \
             dev.local/app-00:1 (revision default/r-00)\n\
             Load it from its archive:  ebb image load FILE --name IMAGE"
        );
        for (also, expect) in [
            ("r-01", "(revisions default/r-00, default/r-01)"),
            ("r-02", "(revisions default/r-00, default/r-01, default/r-02)"),
            ("r-03", "(revisions default/r-00, default/r-01, default/r-02 and 1 more)"),
        ] {
            missing.note(&revision(also, "active", &name(0), ""), |_| true);
            let told = missing.told().unwrap();
            assert!(told.contains(&format!("dev.local/app-00:1 {expect}\n")), "{told}");
        }
        for number in 1..=NAMED_MAX + 2 {
            missing.note(&revision("r", "active", &name(number), ""), |_| true);
        }
        let told = missing.told().unwrap();
        assert!(
            told.starts_with("Missing: 13 images that Revisions run; no registry and no backup has them.\n")
                && told.contains("\n  and 3 more\n"),
            "{told}"
        );
        assert_eq!(told.matches(" (revision").count(), NAMED_MAX, "{told}");
        missing.has_more = true;
        assert!(missing.told().unwrap().starts_with("Missing: at least 13 images"));
    }
}
