use std::collections::HashSet;

use super::*;

fn key(byte: u8) -> SealKey {
    SealKey::new(&[byte; 32])
}

#[test]
fn a_value_opens_only_as_what_it_was_sealed_as() {
    let sealed = key(1).seal("secrets/a", 7, b"s3cret").unwrap();
    assert!(!sealed.windows(6).any(|window| window == b"s3cret"));
    assert_eq!(key(1).open("secrets/a", 7, &sealed).as_deref(), Some(&b"s3cret"[..]));
    let cases = [
        ("another key", key(2).open("secrets/a", 7, &sealed)),
        ("another name", key(1).open("secrets/b", 7, &sealed)),
        ("another version", key(1).open("secrets/a", 8, &sealed)),
        // The boundary between version and name is not to be shifted.
        ("no name", key(1).open("", 7, &sealed)),
    ];
    for (what, opened) in cases {
        assert_eq!(opened, None, "{what}");
    }
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key(1).open("secrets/a", 7, &changed), None, "bit {bit}");
    }
    for len in 0..sealed.len() {
        assert_eq!(key(1).open("secrets/a", 7, &sealed[..len]), None, "cut to {len}");
    }
    assert!(key(1).open("a", 1, &key(1).seal("a", 1, b"").unwrap()).unwrap().is_empty());
}

#[test]
fn what_is_sealed_twice_never_looks_the_same() {
    let sealed: HashSet<Vec<u8>> = (0..1000).map(|_| key(1).seal("a", 1, b"x").unwrap()).collect();
    let random: HashSet<&[u8]> = sealed.iter().map(|sealed| &sealed[5..HEADER]).collect();
    assert_eq!((sealed.len(), random.len()), (1000, 1000));
}

#[test]
fn older_keys_open_and_the_first_seals() {
    let sealing = Sealing::new(&["secrets/"], key(2), vec![key(1)]);
    assert_eq!(sealing.current().id(), key(2).id());
    assert_ne!(key(1).id(), key(2).id());
    let old = key(1).seal("secrets/a", 1, b"x").unwrap();
    assert_eq!(sealing.open("secrets/a", 1, &old).unwrap(), b"x");
    let foreign = key(3).seal("secrets/a", 1, b"x").unwrap();
    assert!(sealing.open("secrets/a", 1, &foreign).unwrap_err().contains("unknown key"));
    assert!(sealing.covers("secrets/a") && !sealing.covers("pods/secrets/a"));
    assert!(!format!("{sealing:?}").contains("[1, 1"), "no key is printed");
}
