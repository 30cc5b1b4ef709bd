use serde_json::json;

use super::*;

#[test]
fn templates_select_and_print() {
    let service = json!({
        "metadata": { "name": "hello", "labels": { "app.kubernetes.io/name": "x" } },
        "status": {
            "url": "http://hello.default.localhost",
            "generation": 3,
            "conditions": [
                { "type": "Ready", "status": "True" },
                { "type": "RoutesReady", "status": "False" },
            ],
        },
    });
    let check = |template: &str, expect: &str| {
        assert_eq!(JsonPath::parse(template).unwrap().print(&service), expect, "{template}");
    };
    check("{.status.url}", "http://hello.default.localhost");
    check("{.metadata.name}{\"\\n\"}", "hello\n");
    check("name={.metadata.name} gen={.status.generation}", "name=hello gen=3");
    check("{.status.conditions[*].type}", "Ready RoutesReady");
    check("{.status.conditions[0].type}{'/'}{.status.conditions[-1].type}", "Ready/RoutesReady");
    check("{.status.conditions[?(@.type=='Ready')].status}", "True");
    check("{.status.conditions[?(@.type==\"RoutesReady\")].status}", "False");
    check("{.metadata.labels['app.kubernetes.io/name']}", "x");
    check("{.metadata.labels.app\\.kubernetes\\.io/name}", "x");
    check("{range .status.conditions[*]}{.type}={.status}{\"\\n\"}{end}", "Ready=True\nRoutesReady=False\n");
    check("{$.metadata.name}", "hello");
    check("{.metadata.labels}", r#"{"app.kubernetes.io/name":"x"}"#);
    check("{.status.absent.deep}", "");
    check("{.status.conditions[7].type}", "");
}

#[test]
fn what_is_not_known_is_refused() {
    let check = |template: &str, expect: &str| assert_eq!(JsonPath::parse(template).unwrap_err(), expect);
    check("{.a", "`{` is never closed in `{.a`");
    check("{..a}", "`..` is not supported in `..a`");
    check("{.a[1:2]}", "`[1:2]` is not supported");
    check("{range .a[*]}{.b}", "`{range …}` without `{end}`");
    check("{.a}{end}", "`{end}` without `{range …}`");
    check("{.a[?(@.b>1)]}", "only `==` is supported in the filter `@.b>1`");
}
