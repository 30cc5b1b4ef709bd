use super::*;
use crate::rest::Query;

fn admin() -> User {
    User { name: "root".into(), groups: vec!["system:masters".into()], ..User::default() }
}

#[test]
fn one_user_leaves_some_places_to_others() {
    let limits = Limits { reads_in_flight_max: 4, ..Limits::default() };
    let in_flight = InFlight::new(&limits);
    let begin = |user: &User| {
        let attributes = Attributes::of(&Method::GET, "/api/v1/pods", &Query::parse(None));
        in_flight.begin(user, &Method::GET, &attributes)
    };
    let user = |name: &str| User { name: name.into(), ..User::default() };
    let greedy = [begin(&user("joe")).unwrap(), begin(&user("joe")).unwrap()];
    assert_eq!(begin(&user("joe")).err().unwrap().code, 429);
    let _other = begin(&user("amy")).unwrap();
    let _admins = begin(&admin()).unwrap();
    assert_eq!(begin(&admin()).err().unwrap().code, 429, "there are no more");
    drop(greedy);
    assert!(begin(&user("joe")).is_ok());
    assert_eq!(in_flight.reads.of_users.lock().len(), 1, "only of those who have some");
}

#[test]
fn reads_and_writes_have_places_of_their_own() {
    let limits = Limits { reads_in_flight_max: 2, writes_in_flight_max: 1, ..Limits::default() };
    let in_flight = InFlight::new(&limits);
    let begin = |method: &str, uri: &str| {
        let (method, uri) = (method.parse::<Method>().unwrap(), uri.parse::<http::Uri>().unwrap());
        in_flight.begin(&admin(), &method, &Attributes::of(&method, uri.path(), &Query::parse(uri.query())))
    };
    let pods = "/api/v1/namespaces/default/pods";
    let first = begin("GET", pods).unwrap();
    let _second = begin("GET", pods).unwrap();
    assert_eq!(begin("GET", pods).err().unwrap().code, 429);
    let _write = begin("POST", pods).unwrap();
    assert_eq!(begin("DELETE", pods).err().unwrap().code, 429);
    let lasting =
        [format!("{pods}?watch=true"), format!("{pods}/p/log?follow=true"), "/api/v1/watch/pods".to_owned()];
    for lasting in lasting {
        assert!(begin("GET", &lasting).unwrap().is_none(), "{lasting}");
    }
    for not in [format!("{pods}/p?watch=true"), "/openapi/v2?watch=true".to_owned()] {
        assert_eq!(begin("GET", &not).err().unwrap().code, 429, "{not}");
    }
    drop(first);
    assert!(begin("GET", pods).unwrap().is_some());
}
