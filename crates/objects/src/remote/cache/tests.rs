use resources::{
    Object,
    builtin::ConfigMap,
    meta::{ObjectMeta, OwnerReference},
};

use super::*;

fn maps() -> &'static Kind {
    <ConfigMap as Object>::kind()
}

/// A ConfigMap of namespace `n`: name, uid, version, value of label `l`.
fn map(name: &str, uid: &str, version: u64, label: &str) -> Arc<dyn DynObject> {
    Arc::new(ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.into()),
            namespace: Some("n".into()),
            uid: Some(uid.into()),
            resource_version: Some(version.to_string()),
            labels: Some([("l".to_owned(), label.to_owned())].into()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    })
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("n", name)
}

fn page(version: u64, items: &[Arc<dyn DynObject>]) -> Page {
    Page { items: items.to_vec(), unreadable: Vec::new(), version, next: None }
}

fn cache(version: u64, items: &[Arc<dyn DynObject>]) -> Cache {
    Cache::new(maps(), Scope::default(), page(version, items), 4)
}

/// `name@version` of what a list finds.
fn listed(cache: &Cache, options: &ListOptions) -> Vec<String> {
    cache.list(options).unwrap().items.iter().map(|object| name_at(&**object)).collect()
}

fn name_at(object: &dyn DynObject) -> String {
    let metadata = object.metadata();
    format!("{}@{}", metadata.name.as_deref().unwrap(), metadata.resource_version.as_deref().unwrap())
}

/// What a follower from a version on is told.
fn told(cache: &Cache, version: u64, options: &ListOptions) -> Vec<String> {
    let (cursor, _) = cache.subscribe(version).unwrap();
    let batch = cache.after(cursor, version, options).unwrap();
    batch.changes.iter().map(|change| format!("{:?} {}", change.kind, name_at(&*change.object))).collect()
}

fn read(cache: &Cache, name: &str) -> String {
    match cache.get(&key(name)) {
        Read::Found(object) => name_at(&*object),
        Read::Absent => "absent".into(),
        Read::InDoubt => "in doubt".into(),
    }
}

#[test]
fn changes_are_told_as_the_options_see_them() {
    let cache = cache(10, &[map("a", "1", 9, "x")]);
    cache.apply(ChangeKind::Modified, map("a", "1", 11, "y"));
    cache.apply(ChangeKind::Added, map("b", "2", 12, "x"));
    cache.apply(ChangeKind::Modified, map("a", "1", 13, "x"));
    cache.apply(ChangeKind::Deleted, map("a", "1", 14, "x"));
    let all = ListOptions::all();
    assert_eq!(told(&cache, 10, &all), ["Modified a@11", "Added b@12", "Modified a@13", "Deleted a@14"]);
    assert_eq!(told(&cache, 12, &all), ["Modified a@13", "Deleted a@14"]);
    assert_eq!(told(&cache, 99, &all), [""; 0], "a version this client has not come to yet");
    let some = ListOptions::all().label("l", "x");
    assert_eq!(told(&cache, 10, &some), ["Deleted a@11", "Added b@12", "Added a@13", "Deleted a@14"]);
}

#[test]
fn who_is_too_slow_has_to_list_again() {
    let cache = cache(10, &[]);
    let (cursor, _) = cache.subscribe(10).unwrap();
    for version in 11..=15 {
        cache.apply(ChangeKind::Modified, map("a", "1", version, "x"));
    }
    assert!(matches!(cache.subscribe(10), Err(Error::Expired(_))));
    assert!(matches!(cache.after(cursor, 10, &ListOptions::all()), Err(Error::Expired(_))));
    assert_eq!(told(&cache, 11, &ListOptions::all()).len(), 4);
}

#[test]
fn a_gap_is_bridged_by_the_difference() {
    let before = [map("a", "1", 5, "x"), map("b", "2", 6, "x"), map("c", "3", 7, "x"), map("d", "4", 8, "x")];
    let cache = cache(10, &before);
    let unreadable = vec![key("d")];
    let items = [map("b", "2", 6, "x"), map("c", "9", 15, "x"), map("e", "5", 16, "x")].to_vec();
    cache.bridge(Page { items, unreadable, version: 20, next: None });
    let expect = ["Deleted a@20", "Deleted c@20", "Added c@15", "Added e@16"];
    assert_eq!(told(&cache, 10, &ListOptions::all()), expect);
    assert_eq!(told(&cache, 20, &ListOptions::all()), [""; 0], "a list of that version has it all");
    assert_eq!(listed(&cache, &ListOptions::all()), ["b@6", "c@15", "d@8", "e@16"]);
}

#[test]
fn lists_by_label_and_owner_go_along_with_changes() {
    let owned = |name: &str, version, label, owner: &str| {
        let object = map(name, name, version, label);
        let mut metadata = object.metadata().clone();
        let owner = OwnerReference { uid: owner.into(), ..OwnerReference::default() };
        metadata.owner_references = Some(vec![owner]);
        object.with_metadata(metadata)
    };
    let cache = cache(10, &[owned("a", 5, "x", "1"), owned("b", 6, "y", "1"), owned("c", 7, "x", "2")]);
    let check =
        |options: ListOptions, expect: &[&str]| assert_eq!(listed(&cache, &options), expect, "{options:?}");
    let all = ListOptions::all;
    check(all().label("l", "x"), &["a@5", "c@7"]);
    check(all().owned_by("1"), &["a@5", "b@6"]);
    check(all().label("l", "x").owned_by("2"), &["c@7"]);
    check(all().label("l", "x").label("m", "x"), &[]);
    check(ListOptions { continue_token: Some("n/a".into()), ..all().label("l", "x") }, &["c@7"]);
    check(ListOptions { namespace: Some("m".into()), ..all().label("l", "x") }, &[]);
    cache.apply(ChangeKind::Modified, owned("a", 11, "y", "2"));
    cache.apply(ChangeKind::Deleted, owned("b", 12, "y", "1"));
    cache.apply(ChangeKind::Added, owned("d", 13, "x", "2"));
    check(all().label("l", "x"), &["c@7", "d@13"]);
    check(all().label("l", "y"), &["a@11"]);
    check(all().owned_by("1"), &[]);
    check(all().owned_by("2"), &["a@11", "c@7", "d@13"]);
    cache.bridge(page(20, &[owned("c", 15, "y", "1")]));
    check(all().label("l", "y"), &["c@15"]);
    check(all().owned_by("2"), &[]);
}

#[test]
fn pages_follow_each_other() {
    let cache = cache(
        10,
        &[map("a", "1", 5, "x"), map("b", "2", 6, "y"), map("c", "3", 7, "x"), map("d", "4", 8, "x")],
    );
    cache.wrote(&map("aa", "5", 11, "x"));
    let mut options = ListOptions { limit: 2, ..ListOptions::namespace("n").label("l", "x") };
    let mut pages = Vec::new();
    loop {
        let page = cache.list(&options).unwrap();
        pages.push(page.items.iter().map(|object| name_at(&**object)).collect::<Vec<_>>());
        options.continue_token = page.next;
        if options.continue_token.is_none() {
            break;
        }
    }
    assert_eq!(pages, [vec!["a@5", "aa@11"], vec!["c@7", "d@8"]]);
    assert_eq!(listed(&cache, &ListOptions::namespace("other")), [""; 0]);
    let nonsense = ListOptions { continue_token: Some("n/".into()), ..ListOptions::all() };
    assert!(matches!(cache.list(&nonsense), Err(Error::BadRequest(_))));
}

#[test]
fn own_writes_are_read_at_once_and_told_in_their_turn() {
    let cache = cache(10, &[map("a", "1", 5, "x")]);
    cache.wrote(&map("a", "1", 12, "y"));
    cache.wrote(&map("b", "2", 13, "x"));
    assert_eq!((read(&cache, "a"), read(&cache, "b")), ("a@12".into(), "b@13".into()));
    assert_eq!(listed(&cache, &ListOptions::all()), ["a@12", "b@13"]);
    assert_eq!(listed(&cache, &ListOptions::all().label("l", "x")), ["b@13"]);
    // Another one's write that came before.
    cache.apply(ChangeKind::Modified, map("a", "1", 11, "x"));
    assert_eq!(read(&cache, "a"), "a@12");
    cache.apply(ChangeKind::Modified, map("a", "1", 12, "y"));
    cache.apply(ChangeKind::Added, map("b", "2", 13, "x"));
    cache.apply(ChangeKind::Modified, map("a", "1", 14, "x"));
    assert_eq!(read(&cache, "a"), "a@14");
    let expect = ["Modified a@11", "Deleted a@12", "Added b@13", "Added a@14"];
    assert_eq!(told(&cache, 10, &ListOptions::all().label("l", "x")), expect);
    // An echo that came before the answer.
    cache.wrote(&map("b", "2", 13, "x"));
    cache.apply(ChangeKind::Deleted, map("b", "2", 15, "x"));
    assert_eq!(read(&cache, "b"), "absent");
}

#[test]
fn own_deletes_are_read_at_once() {
    let cache = cache(10, &[map("a", "1", 5, "x")]);
    cache.wrote(&map("b", "2", 11, "x"));
    cache.deleted(&key("a"), "1");
    cache.deleted(&key("b"), "2");
    assert_eq!(listed(&cache, &ListOptions::all()), [""; 0]);
    cache.apply(ChangeKind::Added, map("b", "2", 11, "x"));
    assert_eq!(read(&cache, "b"), "absent", "the watch is late");
    cache.wrote(&map("a", "3", 14, "x"));
    assert_eq!(read(&cache, "a"), "a@14", "made anew");
    cache.apply(ChangeKind::Deleted, map("a", "1", 12, "x"));
    cache.apply(ChangeKind::Deleted, map("b", "2", 13, "x"));
    assert_eq!(listed(&cache, &ListOptions::all()), ["a@14"]);
    cache.deleted(&key("c"), "7");
    cache.apply(ChangeKind::Added, map("c", "8", 16, "x"));
    assert_eq!(read(&cache, "c"), "c@16", "what was not known leaves no note");
}

#[test]
fn contradictions_are_for_the_server_to_settle() {
    let cache = cache(10, &[map("a", "1", 5, "x"), map("b", "2", 6, "x")]);
    cache.doubt(&key("a"), Some(4));
    assert_eq!(read(&cache, "a"), "a@5", "the caller went by an older one");
    cache.doubt(&key("a"), Some(5));
    cache.doubt(&key("b"), Some(6));
    cache.doubt(&key("c"), None);
    assert_eq!([read(&cache, "a"), read(&cache, "b"), read(&cache, "c")], ["in doubt"; 3]);
    cache.learn(&key("a"), Some(&map("a", "1", 12, "x")));
    cache.learn(&key("b"), None);
    cache.learn(&key("c"), None);
    assert_eq!([read(&cache, "a"), read(&cache, "b"), read(&cache, "c")], ["a@12", "absent", "absent"]);
    cache.doubt(&key("a"), Some(12));
    cache.bookmark(20);
    assert_eq!(read(&cache, "a"), "a@5", "the watch has told everything, so that is how it is");
}

#[test]
fn what_may_be_gone_with_the_write_is_in_doubt() {
    for version in [9, 11] {
        let cache = cache(10, &[map("a", "1", 9, "x")]);
        let answer = map("a", "1", version, "x");
        let mut metadata = answer.metadata().clone();
        metadata.deletion_timestamp = Some(resources::meta::Time("2026-01-01T00:00:00Z".parse().unwrap()));
        cache.wrote(&answer.with_metadata(metadata));
        assert_eq!(read(&cache, "a"), "in doubt");
    }
}

#[test]
fn what_is_out_of_scope_is_not_kept() {
    let scope = Scope { labels: [("l".to_owned(), "x".to_owned())].into(), ..Scope::default() };
    let cache = Cache::new(maps(), scope, page(10, &[map("a", "1", 5, "x")]), 4);
    cache.wrote(&map("b", "2", 11, "y"));
    assert_eq!(read(&cache, "b"), "absent");
    cache.wrote(&map("a", "1", 12, "y"));
    assert_eq!(read(&cache, "a"), "in doubt");
    cache.learn(&key("a"), Some(&map("a", "1", 12, "y")));
    assert_eq!(listed(&cache, &ListOptions::all()), [""; 0]);
}

#[test]
fn the_end_is_told_after_the_last_change() {
    let cache = cache(10, &[]);
    cache.apply(ChangeKind::Added, map("a", "1", 11, "x"));
    cache.close();
    let (cursor, _) = cache.subscribe(10).unwrap();
    let batch = cache.after(cursor, 10, &ListOptions::all()).unwrap();
    assert_eq!(batch.changes.len(), 1);
    assert!(matches!(cache.after(batch.cursor, 10, &ListOptions::all()), Err(Error::Unavailable(_))));
}
