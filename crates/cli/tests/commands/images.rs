//! Images are sent, refused and removed.

use std::process::ExitCode;

use serde_json::json;

use crate::scripted::{Exchange, ebb};

#[tokio::test]
async fn an_image_is_sent_as_it_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("image.tar");
    // Longer than one chunk.
    std::fs::write(&archive, "x".repeat(1_000_000)).unwrap();
    let outcome = ebb(
        &["image", "load", archive.to_str().unwrap(), "--name", "dev.local/a:1"],
        vec![Exchange::new(
            "POST /ebb/v1/images?name=dev.local/a:1",
            &json!({ "images": [{ "reference": "dev.local/a:1", "digest": "sha256:aa" }] }),
        )],
    )
    .await;
    assert_eq!(outcome.out, "Image 'dev.local/a:1' loaded (sha256:aa).\n");
    assert_eq!((outcome.status, outcome.sent[0].len()), (ExitCode::SUCCESS, 1_000_000));
}

#[tokio::test]
async fn a_refused_image_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("image.tar");
    std::fs::write(&archive, "no tar").unwrap();
    let status =
        json!({ "kind": "Status", "code": 400, "reason": "BadRequest", "message": "this is no archive" });
    let outcome = ebb(
        &["image", "load", archive.to_str().unwrap()],
        vec![Exchange::refused("POST /ebb/v1/images", 400, &status)],
    )
    .await;
    let error = format!("Error: cannot load {}: this is no archive\n", archive.display());
    assert_eq!((outcome.status, outcome.err), (ExitCode::from(1), error));

    let outcome = ebb(&["image", "load", "/absent.tar"], vec![]).await;
    assert_eq!(outcome.err, "Error: cannot read /absent.tar: No such file or directory (os error 2)\n");
}

#[tokio::test]
async fn images_are_removed_one_by_one() {
    let missing =
        json!({ "kind": "Status", "code": 404, "message": "no image b", "details": { "name": "b" } });
    let outcome = ebb(
        &["image", "remove", "a", "b"],
        vec![
            Exchange::new(
                "DELETE /ebb/v1/images?reference=a",
                &json!({ "kind": "Status", "status": "Success" }),
            ),
            Exchange::refused("DELETE /ebb/v1/images?reference=b", 404, &missing),
        ],
    )
    .await;
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("Image 'a' removed.\n", "Error: no image b\n"));
}
