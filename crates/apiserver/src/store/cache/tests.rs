use resources::{Object, ObjectKey, builtin::ConfigMap, meta::ObjectMeta};

use super::*;

fn put(cache: &mut Cache, name: &str) -> Arc<dyn DynObject> {
    let metadata = ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() };
    let object: Arc<dyn DynObject> = Arc::new(ConfigMap { metadata, ..ConfigMap::default() });
    cache.insert(&key(name), Arc::new(Stored::hot(1, Arc::clone(&object), 10)));
    cache.take_evicted().iter().for_each(|stored| stored.cool());
    object
}

fn key(name: &str) -> Key {
    Key::of(<ConfigMap as Object>::kind(), &ObjectKey::new("default", name))
}

fn has(cache: &mut Cache, name: &str) -> bool {
    cache.get(&key(name)).is_some()
}

#[test]
fn what_was_used_stays_longest() {
    let mut cache = Cache::new(2, 1000);
    put(&mut cache, "a");
    put(&mut cache, "b");
    assert!(has(&mut cache, "a"));
    put(&mut cache, "c");
    assert!(has(&mut cache, "a") && has(&mut cache, "c"));
    assert!(!has(&mut cache, "b"));
}

#[test]
fn what_somebody_holds_is_found_again() {
    let mut cache = Cache::new(1, 1000);
    let held = put(&mut cache, "a");
    put(&mut cache, "b");
    put(&mut cache, "c");
    let found = cache.get(&key("a")).unwrap().object().unwrap();
    assert!(Arc::ptr_eq(&held, &found));
    drop((held, found));
    put(&mut cache, "d");
    put(&mut cache, "e");
    assert!(!has(&mut cache, "a"));
}

#[test]
fn it_stays_bounded() {
    let mut cache = Cache::new(8, 1000);
    let held: Vec<_> = (0..4).map(|number| put(&mut cache, &format!("held{number}"))).collect();
    for number in 0..1000 {
        put(&mut cache, &format!("x{number}"));
        if number % 3 == 0 {
            cache.remove(&key(&format!("x{number}")));
        }
    }
    assert!(cache.objects.len() <= 8 + held.len(), "{}", cache.objects.len());
    assert_eq!(cache.hand.len(), 8);
}

#[test]
fn what_is_kept_is_bounded_by_its_size_too() {
    let mut cache = Cache::new(100, 35);
    for name in ["a", "b", "c"] {
        put(&mut cache, name);
    }
    assert_eq!(cache.bytes, 30);
    // The same again takes no more.
    put(&mut cache, "c");
    put(&mut cache, "d");
    assert!(!has(&mut cache, "a"), "the oldest goes");
    assert!(has(&mut cache, "b") && has(&mut cache, "c") && has(&mut cache, "d"));
    assert_eq!(cache.bytes, 30);
    cache.remove(&key("b"));
    assert_eq!(cache.bytes, 20);
    // One that is larger than all that may be kept is not kept.
    let metadata = ObjectMeta { name: Some("large".into()), ..ObjectMeta::default() };
    let large: Arc<dyn DynObject> = Arc::new(ConfigMap { metadata, ..ConfigMap::default() });
    cache.insert(&key("large"), Arc::new(Stored::hot(1, large, 36)));
    assert!(!has(&mut cache, "large"));
    assert_eq!(cache.bytes, 20);
}
