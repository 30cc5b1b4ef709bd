use super::Reference;

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn names_have_one_normal_form() {
    let digest = format!("@sha256:{HEX}");
    let cases = [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("acme/web", "docker.io/acme/web:latest"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
        ("gcr.io/my-project/order-service:v1", "gcr.io/my-project/order-service:v1"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app:v1", "localhost:5000/app:v1"),
        ("127.0.0.1:5000/a/b__c/d--e", "127.0.0.1:5000/a/b__c/d--e:latest"),
        ("[::1]:5000/app", "[::1]:5000/app:latest"),
        ("[::1]/app", "[::1]/app:latest"),
        ("Registry/app", "Registry/app:latest"),
        ("dev.local/hello", "dev.local/hello:latest"),
        (&format!("nginx{digest}"), &format!("docker.io/library/nginx{digest}")),
        (&format!("nginx:1{digest}"), &format!("docker.io/library/nginx:1{digest}")),
    ];
    for (text, expect) in cases {
        let reference: Reference = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(reference.to_string(), *expect, "{text}");
        assert_eq!(expect.parse::<Reference>().unwrap(), reference, "{text}: Display parses back");
    }
}

#[test]
fn bad_names_are_refused_in_known_words() {
    let long = "a/".repeat(140) + "a";
    let long_tag = format!("a:{}", "t".repeat(129));
    let short_digest = format!("a@sha256:{}", &HEX[1..]);
    let upper_digest = format!("a@sha256:{}", HEX.to_uppercase());
    let cases = [
        ("", "invalid reference format"),
        (":tag", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("a/", "invalid reference format"),
        ("a:", "invalid reference format"),
        ("a:-x", "invalid reference format"),
        ("a:b:c", "invalid reference format"),
        ("-a", "invalid reference format"),
        ("a..b", "invalid reference format"),
        ("a___b", "invalid reference format"),
        ("host.:80/a", "invalid reference format"),
        ("host:port/a", "invalid reference format"),
        ("host:99999/a", "invalid reference format"),
        ("[::1/a", "invalid reference format"),
        ("[::1]x/a", "invalid reference format"),
        ("http://gcr.io/a", "invalid reference format"),
        ("a/../b", "invalid reference format"),
        ("naïve", "invalid reference format"),
        ("My-App", "repository name must be lowercase"),
        ("gcr.io/My/app", "repository name must be lowercase"),
        (long_tag.as_str(), "invalid reference format"),
        (long.as_str(), "repository name must not be more than 255 characters"),
        (short_digest.as_str(), "invalid checksum digest length"),
        (upper_digest.as_str(), "invalid checksum digest format"),
        ("a@sha512:00", "unsupported digest algorithm"),
        ("a@nonsense", "invalid checksum digest format"),
    ];
    for (text, reason) in cases {
        let error = text.parse::<Reference>().expect_err(text).to_string();
        assert_eq!(error, format!("couldn't parse image reference {text:?}: {reason}"));
    }
}
