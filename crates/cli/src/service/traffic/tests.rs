use serde_json::{Value, json};

use super::*;

/// A service with this split in force, each revision named; `@latest` is the last one.
fn service(traffic: &[(&str, i64, &str)]) -> Service {
    let targets = |in_spec: bool| -> Vec<Value> {
        traffic
            .iter()
            .map(|(name, percent, tag)| {
                let (latest, name) = match name.strip_prefix("@latest:") {
                    Some(name) => (true, name),
                    None => (false, *name),
                };
                let mut target = json!({ "latestRevision": latest, "percent": percent });
                if !(in_spec && latest) {
                    target["revisionName"] = json!(name);
                }
                if !tag.is_empty() {
                    target["tag"] = json!(tag);
                }
                target
            })
            .collect()
    };
    serde_json::from_value(json!({
        "metadata": { "name": "s" },
        "spec": { "traffic": targets(true) },
        "status": { "traffic": targets(false), "latestReadyRevisionName": "s-3" },
    }))
    .unwrap()
}

fn revisions() -> Vec<Revision> {
    let revision = |name: &str| serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    ["s-1", "s-2", "s-3"].map(revision).into()
}

/// `flags` as `tag:…`, `untag:…` or a share; the result as `name=percent#tag`.
fn split(before: &[(&str, i64, &str)], flags: &[&str], makes_revision: bool) -> Result<String, String> {
    let mut wish = Wish::default();
    for flag in flags {
        match flag.split_once(':') {
            Some(("tag", tag)) => wish.tags.push(tag.into()),
            Some(("untag", tag)) => wish.untag.push(tag.into()),
            _ => wish.traffic.push((*flag).into()),
        }
    }
    let targets = compute(&service(before), &wish, &revisions(), makes_revision)?.targets;
    let shown = |target: &TrafficTarget| {
        let name = target.revision_name.as_deref().unwrap_or(LATEST);
        assert_eq!(target.latest_revision, Some(name == LATEST));
        let tag = target.tag.as_deref().map(|tag| format!("#{tag}")).unwrap_or_default();
        format!("{name}={}{tag}", target.percent.unwrap_or_default())
    };
    Ok(targets.iter().map(shown).collect::<Vec<_>>().join(" "))
}

#[test]
fn shares_are_the_whole_split() {
    let check = |before: &[(&str, i64, &str)], flags: &[&str], expect: &str| {
        assert_eq!(split(before, flags, false).unwrap(), expect, "{before:?} {flags:?}");
    };
    let latest = [("@latest:s-3", 100, "")];
    check(&latest, &["s-1=10", "@latest=90"], "@latest=90 s-1=10");
    check(&latest, &["s-1=100"], "s-1=100");
    check(&latest, &["100"], "@latest=100");
    check(&latest, &["s-1=10%", "s-2=90%"], "s-1=10 s-2=90");
    check(&[("s-1", 50, "old"), ("s-2", 50, "")], &["s-2=100"], "s-1=0#old s-2=100");
    // A tag stands for its target.
    check(&[("s-1", 50, "old"), ("s-2", 50, "")], &["old=30", "s-2=70"], "s-1=30#old s-2=70");
    // What is missing goes to the one that is left out.
    check(&[("s-1", 50, ""), ("s-2", 50, "")], &["s-1=30"], "s-1=30 s-2=70");
    check(&[("s-1", 50, ""), ("@latest:s-3", 50, "")], &["@latest=20"], "s-1=80 @latest=20");
    check(&[("s-1", 50, "old"), ("s-2", 50, "")], &["old=40"], "s-1=40#old s-2=60");
}

#[test]
fn a_new_revision_takes_what_is_missing() {
    assert_eq!(split(&[("s-1", 100, "")], &["s-1=80"], true).unwrap(), "s-1=80 @latest=20");
    let two = [("s-1", 50, ""), ("s-2", 50, "")];
    assert_eq!(split(&two, &["s-1=30", "s-2=30"], true).unwrap(), "s-1=30 s-2=30 @latest=40");
}

#[test]
fn that_the_latest_is_not_followed_any_more_is_told() {
    let warning = |before: &[(&str, i64, &str)], traffic: &str, makes_revision: bool| {
        let wish = Wish { traffic: traffic.split(',').map(str::to_owned).collect(), ..Wish::default() };
        compute(&service(before), &wish, &revisions(), makes_revision).unwrap().warning()
    };
    let before = [("s-1", 50, ""), ("@latest:s-3", 50, "")];
    assert_eq!(split(&before, &["s-1=30"], false).unwrap(), "s-1=30 s-3=70");
    let told = warning(&before, "s-1=30", false).unwrap();
    for part in ["remaining 70%", "revision s-3 by its name", "add @latest=70 to --traffic"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let tagged = [("s-1", 50, ""), ("@latest:s-3", 50, "new")];
    assert_eq!(split(&tagged, &["s-1=30"], false).unwrap(), "s-1=30 @latest=0#new s-3=70");
    assert!(warning(&tagged, "s-1=30", false).is_some());
    // By its tag it is named.
    assert_eq!(split(&tagged, &["new=30"], false).unwrap(), "s-1=70 @latest=30#new");
    // It has a share, or never had one, or is named as the one that shall have all.
    for (traffic, makes_revision) in [
        ("@latest=20", false),
        ("s-1=30,@latest=70", false),
        ("s-1=100", false),
        ("s-1=30,@latest=20", true),
        ("s-1=30,s-3=20", true),
    ] {
        assert_eq!(warning(&before, traffic, makes_revision), None, "{traffic}");
    }
    assert_eq!(warning(&[("s-1", 50, ""), ("s-2", 50, "")], "s-1=30", false), None);
}

#[test]
fn tags_come_and_go() {
    let check = |before: &[(&str, i64, &str)], flags: &[&str], expect: &str| {
        assert_eq!(split(before, flags, false).unwrap(), expect, "{before:?} {flags:?}");
    };
    let latest = [("@latest:s-3", 100, "")];
    check(&latest, &["tag:s-1=old"], "@latest=100 s-1=0#old");
    check(&latest, &["tag:@latest=new"], "@latest=100#new");
    check(&latest, &["tag:new"], "@latest=100#new");
    check(&[("s-1", 100, "")], &["tag:@latest=new"], "s-1=100 @latest=0#new");
    check(&[("s-1", 100, "a")], &["tag:s-1=b"], "s-1=100#a s-1=0#b");
    check(&[("s-1", 100, "a")], &["tag:s-1=a"], "s-1=100#a");
    check(&[("s-1", 0, "a"), ("s-2", 100, "")], &["untag:a"], "s-2=100");
    check(&[("s-1", 0, "a"), ("s-2", 100, "")], &["untag:a", "tag:s-2=a"], "s-2=100#a");
}

#[test]
fn what_cannot_be_is_refused() {
    let check = |before: &[(&str, i64, &str)], flags: &[&str], makes_revision: bool, expect: &str| {
        assert_eq!(split(before, flags, makes_revision).unwrap_err(), expect, "{before:?} {flags:?}");
    };
    let two = [("s-1", 50, "a"), ("s-2", 50, "")];
    check(&two, &["s-1=60", "s-2=50"], false, "given traffic percents sum to 110, want <=100");
    check(&two, &["s-1=101"], false, "invalid value for traffic percent 101, expected 0 <= percent <= 100");
    check(&two, &["s-1=x"], false, "error converting given x to integer value for traffic distribution");
    check(&two, &["s-1=1=2"], false, "expecting the value format in value1=value2, given s-1=1=2");
    check(
        &two,
        &["s-1=10", "s-1=90"],
        false,
        "repetition of revision reference s-1 is not allowed, use only once with --traffic flag",
    );
    check(
        &two,
        &["@latest=10", "90"],
        false,
        "repetition of identifier @latest is not allowed, use only once with --traffic flag",
    );
    check(
        &two,
        &["tag:@latest=x", "tag:@latest=y"],
        false,
        "repetition of identifier @latest is not allowed, use only once with --tag flag",
    );
    let one_missing = "unable to allocate the remaining traffic: 50%. Reason: incorrect number of revisions specified. \
                       Only 1 revision should be missing; say with --traffic which targets get it";
    check(&[("s-1", 40, ""), ("s-2", 30, ""), ("s-3", 30, "")], &["s-1=50"], false, one_missing);
    check(&two, &["s-1=50"], true, one_missing);
    check(
        &[("s-1", 50, ""), ("s-9", 50, "")],
        &["s-1=50"],
        false,
        "unable to allocate the remaining traffic: 50%. Reason: cannot determine the missing revision; say with \
         --traffic which targets get it",
    );
    check(
        &two,
        &["tag:s-2=a"],
        false,
        "refusing to overwrite existing tag in service, add flag '--untag a' in command to untag it",
    );
    check(
        &[("@latest:s-3", 100, "new")],
        &["tag:@latest=newer"],
        false,
        "tag 'new' exists on latest ready revision of service, refusing to overwrite existing tag with 'newer', add \
         flag '--untag new' in command to untag it",
    );
    check(
        &two,
        &["s-1=50", "s-7=50"],
        false,
        "service s has no revision or tag 's-7'; `ebb revision list -s s` shows what it has",
    );
    check(
        &two,
        &["untag:a", "a=100"],
        false,
        "service s has no revision or tag 'a'; `ebb revision list -s s` shows what it has",
    );
    check(&two, &["untag:x", "untag:y"], false, "tag(s) x, y not present for any revisions of service s");
}
