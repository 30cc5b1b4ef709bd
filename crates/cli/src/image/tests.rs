use serde_json::json;

use super::*;

#[test]
fn images_are_listed_by_name() {
    let images: Images = serde_json::from_value(json!({ "items": [
        { "reference": "dev.local/b:1", "digest": "sha256:0123456789abcdef", "size": 4_312_000,
          "loaded": "2026-11-20T11:00:00Z" },
        { "reference": "dev.local/a:1", "digest": "sha256:fedcba9876543210" },
    ] }))
    .unwrap();
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    assert_eq!(
        table(images.items, false, now),
        "\
REFERENCE       DIGEST         SIZE    AGE
dev.local/a:1   fedcba987654   0B      <unknown>
dev.local/b:1   0123456789ab   4.3MB   60m
"
    );
    assert_eq!(table(Vec::new(), false, now), "No images found.\n");
}
