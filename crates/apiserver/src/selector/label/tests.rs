use super::*;
use crate::store::pairs::Interner;

fn pairs(labels: &[(&str, &str)]) -> Pairs {
    Interner::new().pairs(labels.iter().copied())
}

#[test]
fn selectors_match_as_kubernetes_says() {
    let labels = pairs(&[("app", "web"), ("tier", "db"), ("count", "5"), ("empty", "")]);
    let cases = [
        ("", true),
        ("app", true),
        ("!app", false),
        ("!missing", true),
        ("missing", false),
        ("app=web", true),
        ("app == web", true),
        ("app=api", false),
        ("app!=api", true),
        ("missing!=api", true),
        ("app in (web,api)", true),
        ("app in (api)", false),
        ("app notin (api)", true),
        ("missing notin (api)", true),
        ("app=web,tier=db", true),
        ("app=web, tier=x", false),
        ("empty=", true),
        ("empty in ()", true),
        ("count>4", true),
        ("count<5", false),
        ("app>4", false),
    ];
    for (selector, expect) in cases {
        assert_eq!(LabelSelector::parse(selector).unwrap().matches(&labels), expect, "{selector}");
    }
}

#[test]
fn what_is_no_selector_is_refused() {
    for text in ["app=web=x", "=x", "app in", "app in (a", "app a", ",", "app,", "count>x", "(a)"] {
        assert!(LabelSelector::parse(text).is_err(), "{text}");
    }
}
