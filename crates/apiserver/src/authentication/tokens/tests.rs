use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::SeqCst},
};

use resources::{ObjectKey, builtin::ServiceAccount, meta::ObjectMeta};

use crate::{ApiServer, Environment, Options};

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let seconds = Arc::new(AtomicI64::new(1_900_000_000));
    let clock = Arc::clone(&seconds);
    let now = move || jiff::Timestamp::from_second(clock.load(SeqCst)).unwrap();
    let options = Options { environment: Environment::new(now, 1), ..Options::new("") };
    let server = ApiServer::in_memory(options).await.unwrap();
    let key = ObjectKey::new("default", "robot");
    let metadata = ObjectMeta {
        name: Some(key.name.clone()),
        namespace: Some(key.namespace.clone()),
        ..ObjectMeta::default()
    };
    server.client().create(ServiceAccount { metadata, ..ServiceAccount::default() }).await.unwrap();
    let (tokens, registry) = (&server.shared.tokens, &server.shared.registry);
    let issued = tokens.issue(registry, &key, Default::default()).unwrap();
    assert_eq!(issued.spec.expiration_seconds, Some(3600));
    let status = issued.status.unwrap();
    assert_eq!(status.expiration_timestamp.0.as_second(), 1_900_003_600);
    let shown = tokens.check(registry, &status.token, &[]).unwrap();
    assert_eq!(shown.user.name, "system:serviceaccount:default:robot");
    seconds.fetch_add(3600 + 61, SeqCst);
    let refused = tokens.check(registry, &status.token, &[]).map(|accepted| accepted.user);
    assert_eq!(refused.unwrap_err(), "service account token has expired");
}
