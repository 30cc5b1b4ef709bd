//! Answers as YAML, and compressed.

use http::header;
use serde_json::{Value, json};

use crate::rig::Rig;

const CMS: &str = "/api/v1/namespaces/default/configmaps";
const YAML: (&str, &str) = ("accept", "application/yaml");
const GZIP: (&str, &str) = ("accept-encoding", "deflate, gzip;q=0.8");
/// More than what is compressed, less than a body may have.
const LONG: usize = 200 << 10;

#[tokio::test]
async fn answers_are_yaml_for_who_asks_for_it() {
    let rig = Rig::start().await;
    rig.post(CMS, &json!({"metadata": {"name": "a"}, "data": {"k": "yes", "n": "1", "t": "a: |\n b\n"}}))
        .await;
    for (path, code) in [(&*format!("{CMS}/a"), 200), (CMS, 200), (&*format!("{CMS}/b"), 404), ("/apis", 200)]
    {
        let json = rig.call("GET", path, &[], "").await;
        let yaml = rig.call("GET", path, &[YAML], "").await;
        assert_eq!(
            (yaml.code, &yaml.headers[header::CONTENT_TYPE]),
            (code, &"application/yaml".parse().unwrap())
        );
        assert!(!yaml.text.starts_with('{'), "{}", yaml.text);
        assert_eq!(serde_saphyr::from_str::<Value>(&yaml.text).unwrap(), json.json, "{path}");
    }
    // What cannot be YAML is the next thing that was asked for, or refused.
    let path = format!("{CMS}?watch=true&timeoutSeconds=-1");
    let both = [("accept", "application/yaml, application/json")];
    assert_eq!(rig.call("GET", &path, &both, "").await.code, 200);
    assert_eq!(rig.call("GET", &path, &[YAML], "").await.code, 406);
    let table = [("accept", "application/yaml;as=Table;v=v1;g=meta.k8s.io")];
    let table = rig.call("GET", CMS, &table, "").await;
    assert_eq!(serde_saphyr::from_str::<Value>(&table.text).unwrap()["kind"], "Table");
}

#[tokio::test]
async fn long_answers_are_compressed_for_who_can_read_that() {
    let rig = Rig::start().await;
    let long = |name: &str| json!({"metadata": {"name": name}, "data": {"k": "v".repeat(LONG)}});
    rig.post(CMS, &long("a")).await;
    rig.post(CMS, &long("b")).await;
    rig.post(CMS, &json!({"metadata": {"name": "short"}})).await;
    let one = format!("{CMS}/a");
    for path in [CMS, &one] {
        let plain = rig.call("GET", path, &[], "").await;
        assert!(!plain.headers.contains_key(header::CONTENT_ENCODING));
        let packed = rig.call("GET", path, &[GZIP], "").await;
        assert_eq!(packed.headers[header::CONTENT_ENCODING], "gzip");
        assert_eq!(packed.json, plain.json);
        let yaml = rig.call("GET", path, &[GZIP, YAML], "").await;
        assert_eq!(yaml.headers[header::CONTENT_ENCODING], "gzip");
        assert_eq!(serde_saphyr::from_str::<Value>(&yaml.text).unwrap(), plain.json);
    }
    for (path, coding) in [(format!("{CMS}/short"), GZIP.1), (one.clone(), "gzip;q=0"), (one, "br")] {
        let answer = rig.call("GET", &path, &[("accept-encoding", coding)], "").await;
        assert!(!answer.headers.contains_key(header::CONTENT_ENCODING), "{path} {coding}");
    }
}
