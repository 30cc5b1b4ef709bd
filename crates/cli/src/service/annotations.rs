//! What the command line notes on the templates it writes.

use resources::meta::ObjectMeta;

use crate::image::Name;

/// The image as the user named it, while the spec may hold its digest.
pub(crate) const USER_IMAGE: &str = "client.knative.dev/user-image";
/// When a command last changed the template; makes every change a new Revision.
pub(crate) const UPDATE_TIMESTAMP: &str = "client.knative.dev/updateTimestamp";

/// The image as the user named it, of a Revision or a template, if that is noted and still leads to the `image` of the
/// spec: to its digest, or the same tag (upstream: client, `describe`, which compares the beginnings of the texts).
pub fn user_image<'a>(metadata: &'a ObjectMeta, image: &str) -> Option<&'a str> {
    let noted = metadata.annotations.as_ref()?.get(USER_IMAGE).filter(|noted| !noted.is_empty())?;
    let (named, runs) = (Name::of(noted), Name::of(image));
    let leads_there =
        named.is_of_the_repository_of(&runs) && (runs.digest.is_some() || named.tag == runs.tag);
    leads_there.then_some(noted.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_name_counts_while_it_leads_to_the_image() {
        for (noted, image, expect) in [
            ("dev.local/hello:2", "dev.local/hello@sha256:0a", true),
            ("my-app:1", "index.docker.io/library/my-app@sha256:0a", true),
            ("my-app", "my-app:latest", true),
            ("dev.local/hello:2", "dev.local/hello:3", false),
            ("dev.local/hell", "dev.local/hello@sha256:0a", false),
            ("", "", false),
        ] {
            let annotations = [(USER_IMAGE.to_owned(), noted.to_owned())].into();
            let metadata = ObjectMeta { annotations: Some(annotations), ..ObjectMeta::default() };
            assert_eq!(user_image(&metadata, image), expect.then_some(noted), "{noted} {image}");
        }
        assert_eq!(user_image(&ObjectMeta::default(), "dev.local/hello:2"), None);
    }
}
