use serde_json::json;

use super::*;

fn check(object: Value, operations: Value, limits: &Limits) -> Result<Value, PatchError> {
    let patch = serde_json::from_value(operations).unwrap();
    let mut object = object;
    apply(&mut object, &patch, limits).map(|()| object)
}

#[test]
fn what_is_not_there_is_null() {
    let test = |path: &str, value: Value| {
        let object = json!({"a": {"b": null, "c": [1]}});
        check(object, json!([{"op": "test", "path": path, "value": value}]), &Limits::default()).is_ok()
    };
    for path in ["/d", "/a/d", "/a/b"] {
        assert!(test(path, Value::Null), "{path}");
        assert!(!test(path, json!([])), "{path}");
    }
    // What it would be in has to be there, and a list has an end.
    for path in ["/a/d/e", "/a/c/1", "/a/c/0", "/a"] {
        assert!(!test(path, Value::Null), "{path}");
    }
}

#[test]
fn what_operations_make_is_bounded() {
    let limits = Limits { json_patch_copied_bytes_max: 20, depth_max: 5, ..Limits::default() };
    let copy = |from: &str, path: &str| json!({"op": "copy", "from": from, "path": path});
    let ten = json!({"a": "12345678", "b": {}});
    // Twenty bytes of JSON are no more than twenty.
    let copied = check(ten.clone(), json!([copy("/a", "/c"), copy("/a", "/b/d")]), &limits);
    assert_eq!(copied.unwrap(), json!({"a": "12345678", "b": {"d": "12345678"}, "c": "12345678"}));
    let once_more = check(ten, json!([copy("/a", "/c"), copy("/a", "/d"), copy("/b", "/e")]), &limits);
    assert!(
        matches!(&once_more, Err(PatchError::DoesNotFit(why)) if why.contains("add 22 bytes and may add 20")),
        "{once_more:?}"
    );
    // Forty times twice as much, and a hundred times ninety levels more, which would end the process.
    let doubled: Vec<_> = (0..40).map(|number| copy("/a", &format!("/a/{number}"))).collect();
    let doubled = check(json!({"a": {"k": "v"}}), doubled.into(), &Limits::default());
    assert!(matches!(doubled, Err(PatchError::DoesNotFit(_))), "{doubled:?}");
    let chain = |levels: usize| (0..levels).fold(json!({}), |below, _| json!({"x": below}));
    let below = "/x".repeat(90);
    let sunk: Vec<_> = (0..100)
        .flat_map(|_| {
            let into = json!({"op": "add", "path": "/b", "value": chain(90)});
            let sink = json!({"op": "move", "from": "/a", "path": format!("/b{below}")});
            [into, sink, json!({"op": "move", "from": "/b", "path": "/a"})]
        })
        .collect();
    let sunk = check(json!({"a": {}}), sunk.into(), &Limits::default());
    assert_eq!(sunk, Err(does_not_fit(too_deep(1000))));
    // Going up and down is not going deep.
    let swung: Vec<_> = (0..600)
        .flat_map(|_| {
            let down = json!({"op": "move", "from": "/a", "path": "/b/c/d"});
            [down, json!({"op": "move", "from": "/b/c/d", "path": "/a"})]
        })
        .collect();
    let object = json!({"a": 1, "b": {"c": {}}});
    assert_eq!(check(object.clone(), swung.into(), &limits), Ok(object));
    let deep = check(json!({}), json!([{"op": "add", "path": "/a", "value": chain(5)}]), &limits);
    assert_eq!(deep, Err(does_not_fit(too_deep(5))));
    // Which operation it was is counted over the whole patch.
    let misfit = check(json!({"a": 1}), json!([copy("/a", "/b"), copy("/c", "/d")]), &limits);
    assert!(matches!(&misfit, Err(PatchError::DoesNotFit(why)) if why.contains("'/1'")), "{misfit:?}");
}

/// Ten thousand operations at the head of a list of a quarter of a million items would move billions.
#[test]
fn the_work_of_a_patch_is_bounded() {
    let limits = Limits { json_patch_steps_max: 1000, ..Limits::default() };
    let list = |items: usize| json!({"l": vec![0; items]});
    let put_first = |times: usize| Value::from(vec![json!({"op": "add", "path": "/l/0", "value": 1}); times]);
    let too_much = |outcome: Result<Value, PatchError>| matches!(&outcome, Err(PatchError::DoesNotFit(why)) if why.contains("too much work"));
    assert!(check(list(50), put_first(10), &limits).is_ok());
    assert!(too_much(check(list(50), put_first(20), &limits)));
    assert!(too_much(check(
        list(990),
        put_first(1).clone(),
        &Limits { json_patch_steps_max: 900, ..limits.clone() }
    )));
    let there_and_back = json!([{"op": "move", "from": "/l/0", "path": "/l/-"}]);
    assert!(too_much(check(list(500), there_and_back, &limits)));
    let tests = Value::from(vec![json!({"op": "test", "path": "/l", "value": vec![0; 300]}); 4]);
    assert!(too_much(check(list(300), tests, &limits)));
    // What is allowed by default is enough for a long list.
    assert!(check(list(1000), put_first(5000), &Limits::default()).is_ok());
}
