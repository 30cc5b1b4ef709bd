use super::*;

fn pod(automount: Option<bool>) -> Pod {
    let spec = json!({
        "automountServiceAccountToken": automount,
        "initContainers": [{ "name": "i" }],
        "containers": [{ "name": "a" }, { "name": "b", "volumeMounts": [{ "name": "own", "mountPath": MOUNT_PATH }] }],
    });
    serde_json::from_value(json!({ "metadata": {}, "spec": spec })).unwrap()
}

#[test]
fn the_pods_word_counts_before_its_accounts() {
    let account = |automount| ServiceAccount {
        automount_service_account_token: automount,
        ..ServiceAccount::default()
    };
    for (own, accounts, expect) in [
        (None, None, false),
        (None, Some(true), true),
        (None, Some(false), false),
        (Some(true), None, true),
        (Some(true), Some(false), true),
        (Some(false), Some(true), false),
    ] {
        assert_eq!(mounts_token(&pod(own), Some(&account(accounts))), expect, "{own:?} {accounts:?}");
    }
    assert!(mounts_token(&pod(Some(true)), None) && !mounts_token(&pod(None), None));
}

#[test]
fn it_is_mounted_where_nothing_else_is_and_once() {
    let mut mounted = pod(Some(true));
    mount_token(&mut mounted, || format!("{VOLUME_PREFIX}abcde"));
    let once = mounted.clone();
    mount_token(&mut mounted, || panic!("it has a name"));
    assert_eq!(mounted, once);
    let spec = once.spec.unwrap();
    let names = |container: &Container| {
        let mounts = container.volume_mounts.iter().flatten();
        mounts.map(|mount| (mount.name.clone(), mount.read_only == Some(true))).collect::<Vec<_>>()
    };
    let token = vec![(format!("{VOLUME_PREFIX}abcde"), true)];
    assert_eq!(names(&spec.init_containers.unwrap()[0]), token);
    assert_eq!(names(&spec.containers[0]), token);
    assert_eq!(names(&spec.containers[1]), [("own".to_owned(), false)]);
    let volumes = spec.volumes.unwrap();
    let sources = volumes[0].projected.as_ref().unwrap().sources.as_ref().unwrap();
    assert_eq!((volumes.len(), sources.len()), (1, 3));
}
