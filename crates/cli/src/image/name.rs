//! The parts of an image's name, with what a short one leaves out (upstream: distribution, `reference`).

use std::borrow::Cow;

use resources::image_name::ImageName;

use super::Image;

/// Where a path of one part is below [`OFFICIAL`].
const DOCKER_HUB: &str = "docker.io";
const OFFICIAL: &str = "library";

/// `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    registry: &'a str,
    path: Cow<'a, str>,
    /// `latest` where the name has neither tag nor digest.
    pub(crate) tag: Option<&'a str>,
    pub(crate) digest: Option<&'a str>,
}

impl<'a> Name<'a> {
    /// Of any text: what is no name has parts that no image has.
    pub(crate) fn of(text: &'a str) -> Self {
        let name = ImageName::split(text);
        let path = match name.repository.contains('/') || !name.is_of([DOCKER_HUB]) {
            true => Cow::Borrowed(name.repository),
            false => Cow::Owned(format!("{OFFICIAL}/{}", name.repository)),
        };
        let tag = name.tag.or(name.digest.is_none().then_some("latest"));
        Self { registry: name.registry(), path, tag, digest: name.digest }
    }

    /// Whether both are versions of one thing.
    pub(crate) fn is_of_the_repository_of(&self, other: &Name<'_>) -> bool {
        self.registry == other.registry && self.path == other.path
    }

    /// Whether it has the other's last part and tag, and leads elsewhere: perhaps it is what was meant.
    fn is_another_of_its_kind(&self, other: &Name<'_>) -> bool {
        self.tag.is_some()
            && self.tag == other.tag
            && self.last_part() == other.last_part()
            && !self.is_of_the_repository_of(other)
    }

    fn last_part(&self) -> Option<&str> {
        self.path.rsplit('/').next()
    }
}

/// The first of the images that are there which may be meant by a name that is not.
pub(crate) fn alike<'a>(wanted: &str, there: &'a [Image]) -> Option<&'a str> {
    let wanted = Name::of(wanted);
    let mut names = there.iter().map(|image| image.reference.as_str());
    names.find(|there| Name::of(there).is_another_of_its_kind(&wanted))
}

/// The image that has this name by now, where that is another one than the digest says.
pub(crate) fn another_build<'a>(named: &str, digest: &str, there: &'a [Image]) -> Option<&'a Image> {
    let named = Name::of(named);
    let has_the_name = |image: &&Image| named.tag.is_some() && Name::of(&image.reference) == named;
    there.iter().find(has_the_name).filter(|image| image.digest != digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_short_name_leaves_out_is_added() {
        const HUB: &str = "index.docker.io";
        for (text, registry, path, tag, digest) in [
            ("my-app", HUB, "library/my-app", Some("latest"), None),
            ("team/app:1", HUB, "team/app", Some("1"), None),
            ("docker.io/app", HUB, "library/app", Some("latest"), None),
            ("index.docker.io/library/app@sha256:a", HUB, "library/app", None, Some("sha256:a")),
            ("localhost:5000/app:1", "localhost:5000", "app", Some("1"), None),
            ("dev.local/a/b:1@sha256:a", "dev.local", "a/b", Some("1"), Some("sha256:a")),
            ("localhost/app", "localhost", "app", Some("latest"), None),
        ] {
            assert_eq!(Name::of(text), Name { registry, path: path.into(), tag, digest }, "{text}");
        }
        let _ = ["", ":", "@", "/", "a/:@", "ü/ü:ü"].map(|text| Name::of(text).last_part().map(str::len));
    }

    #[test]
    fn an_image_of_that_name_elsewhere_may_be_meant() {
        let there =
            ["dev.local/my-app:1", "dev.local/other:2", "docker.io/library/late:1", "r.example/my-app:1"]
                .map(|reference| image(reference, "sha256:aa"));
        for (wanted, expect) in [
            ("my-app:1", Some("dev.local/my-app:1")),
            ("r.example/team/other:2", Some("dev.local/other:2")),
            ("dev.local/my-app:1", Some("r.example/my-app:1")),
            ("my-app:2", None),
            ("app:1", None),
            ("late:1", None),
            ("my-app@sha256:a", None),
        ] {
            assert_eq!(alike(wanted, &there), expect, "{wanted}");
        }
    }

    fn image(reference: &str, digest: &str) -> Image {
        Image { reference: reference.to_owned(), digest: digest.to_owned(), size: 0, loaded: None }
    }

    #[test]
    fn a_name_may_lead_to_another_build_by_now() {
        let there =
            [image("dev.local/app:1", "sha256:aa"), image("index.docker.io/library/hub:latest", "sha256:bb")];
        for (named, digest, expect) in [
            ("dev.local/app:1", "sha256:cc", Some("sha256:aa")),
            ("dev.local/app:1", "sha256:aa", None),
            ("dev.local/app:2", "sha256:cc", None),
            ("hub", "sha256:cc", Some("sha256:bb")),
            ("dev.local/app@sha256:cc", "sha256:cc", None),
        ] {
            let found = another_build(named, digest, &there).map(|image| image.digest.as_str());
            assert_eq!(found, expect, "{named} {digest}");
        }
    }
}
