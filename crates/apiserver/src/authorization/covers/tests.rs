use super::*;

/// `get,list apps deployments,pods/log [names]`, `-` for the core group; or `get /path`.
fn rule(text: &str) -> PolicyRule {
    let words: Vec<Vec<String>> = text
        .split(' ')
        .map(|word| word.split(',').map(|one| if one == "-" { "" } else { one }.into()).collect())
        .collect();
    match words.as_slice() {
        [verbs, paths] => PolicyRule {
            verbs: verbs.clone(),
            non_resource_urls: Some(paths.clone()),
            ..PolicyRule::default()
        },
        [verbs, groups, resources, names @ ..] => PolicyRule {
            verbs: verbs.clone(),
            api_groups: Some(groups.clone()),
            resources: Some(resources.clone()),
            resource_names: names.first().cloned(),
            ..PolicyRule::default()
        },
        _ => panic!("{text}"),
    }
}

#[test]
fn what_is_missing() {
    // held, wanted, missing
    let cases: [(&[&str], &[&str], &[&str]); 10] = [
        (&["get - pods"], &["get - pods"], &[]),
        (&["get - pods"], &["get,list - pods"], &[r#"{APIGroups:[""], Resources:["pods"], Verbs:["list"]}"#]),
        (&["* * *"], &["get,list - pods,pods/log", "x apps deployments n"], &[]),
        (&["* * *"], &["get /x"], &[r#"{NonResourceURLs:["/x"], Verbs:["get"]}"#]),
        (&["get /a*", "* /b"], &["get /a/b,/b"], &[]),
        (&["get - pods a,b"], &["get - pods a"], &[]),
        (&["get - pods a"], &["get - pods"], &[r#"{APIGroups:[""], Resources:["pods"], Verbs:["get"]}"#]),
        (
            &["get - pods a"],
            &["get,list - pods b"],
            &[r#"{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get" "list"]}"#],
        ),
        (&["update apps */scale"], &["update apps deployments/scale"], &[]),
        (
            &["update apps */scale"],
            &["update apps deployments"],
            &[r#"{APIGroups:["apps"], Resources:["deployments"], Verbs:["update"]}"#],
        ),
    ];
    for (held, wanted, expect) in cases {
        let [held, wanted]: [Vec<_>; 2] =
            [held, wanted].map(|rules| rules.iter().map(|text| rule(text)).collect());
        let found: Vec<_> = missing(&held, &wanted).unwrap().iter().map(shown).collect();
        assert_eq!(found, expect, "{held:?} {wanted:?}");
    }
}

/// A few hundred bytes that give a hundred million rights.
#[test]
fn too_many_rights_are_not_written_out() {
    let many = |prefix: &str, count: usize| {
        Some((0..count).map(|number| format!("{prefix}{number}")).collect::<Vec<_>>())
    };
    let rule = |each: usize| PolicyRule {
        verbs: many("v", each).unwrap_or_default(),
        api_groups: many("g", each),
        resources: many("r", each),
        resource_names: many("n", each),
        ..PolicyRule::default()
    };
    assert_eq!(missing(&[], &[rule(100)]), Err(TooManyRights));
    let twice = [rule(14), rule(14)];
    assert_eq!(missing(&[], &twice), Err(TooManyRights), "their sum counts");
    assert_eq!(missing(&[], &twice[..1]).map(|missing| missing.len()), Ok(14 * 14 * 14));
    assert_eq!(missing(&twice, &twice[..1]), Ok(Vec::new()));
}
