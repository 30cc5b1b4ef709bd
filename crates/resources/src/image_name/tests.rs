use super::*;

#[test]
fn parts_are_as_they_are_written() {
    let cases = [
        ("nginx", (None, "nginx", None, None)),
        ("nginx:1", (None, "nginx", Some("1"), None)),
        ("library/nginx:", (None, "library/nginx", Some(""), None)),
        ("host:5000/a/b", (Some("host:5000"), "a/b", None, None)),
        ("localhost/a:1@sha256:0", (Some("localhost"), "a", Some("1"), Some("sha256:0"))),
        ("gcr.io/p/a@sha256:0", (Some("gcr.io"), "p/a", None, Some("sha256:0"))),
        ("", (None, "", None, None)),
    ];
    for (image, (registry, repository, tag, digest)) in cases {
        assert_eq!(ImageName::split(image), ImageName { registry, repository, tag, digest }, "{image}");
    }
}

#[test]
fn registries() {
    // (name, its registry, whether that is one of those that do not exist)
    let cases = [
        ("nginx", "index.docker.io", false),
        ("library/nginx:1", "index.docker.io", false),
        ("docker.io/nginx", "index.docker.io", false),
        ("index.docker.io/nginx", "index.docker.io", false),
        ("dev.local/a", "dev.local", true),
        ("ko.local/a/b:1", "ko.local", true),
        ("kind.local/a@sha256:0", "kind.local", true),
        ("dev.local:5000/a", "dev.local:5000", false),
        ("gcr.io/dev.local/a", "gcr.io", false),
        ("dev.local", "index.docker.io", false),
        ("localhost/a", "localhost", false),
        ("host:5000/a/b", "host:5000", false),
        ("gcr.io/p/a@sha256:0", "gcr.io", false),
    ];
    for (image, registry, is_local) in cases {
        let name = ImageName::split(image);
        assert_eq!((name.registry(), name.is_of(LOCAL_REGISTRIES)), (registry, is_local), "{image}");
    }
    for docker in ["docker.io", "index.docker.io"] {
        assert!(
            ImageName::split("nginx").is_of([docker]) && ImageName::split("docker.io/a/b").is_of([docker])
        );
    }
}
