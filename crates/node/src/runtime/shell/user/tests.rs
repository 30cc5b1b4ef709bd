use super::*;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
                      broken\n\
                      app:x:1000:1001:App:/home/app:/bin/sh\n\
                      homeless:x:1002:1002::\n";
const GROUP: &str = "root:x:0:\nstaff:x:50:app,other\napp:x:1001:\naudio:x:63:app\n";

fn user(image: &str, uid: Option<u32>, gid: Option<u32>, groups: &[u32]) -> User {
    User { image: image.into(), uid, gid, groups: groups.into() }
}

#[test]
fn identities() {
    let cases = [
        (user("", None, None, &[]), Ok((0, 0, vec![0], "/root"))),
        (user("app", None, None, &[]), Ok((1000, 1001, vec![50, 63, 1001], "/home/app"))),
        (user("1000", None, None, &[]), Ok((1000, 1001, vec![50, 63, 1001], "/home/app"))),
        (user("app:staff", None, None, &[]), Ok((1000, 50, vec![50, 63], "/home/app"))),
        (user("65532:65532", None, None, &[]), Ok((65532, 65532, vec![65532], "/"))),
        (user("65532", None, None, &[]), Ok((65532, 0, vec![0], "/"))),
        (user("homeless", None, None, &[]), Ok((1002, 1002, vec![1002], "/"))),
        (user("app:staff", Some(7), None, &[]), Ok((7, 0, vec![0], "/"))),
        (user("", Some(1000), Some(9), &[2000]), Ok((1000, 9, vec![9, 50, 63, 2000], "/home/app"))),
        (user("", None, Some(9), &[9, 9]), Ok((0, 9, vec![9], "/root"))),
        (user("nobody", None, None, &[]), Err("nobody")),
        (user("app:nogroup", None, None, &[]), Err("nogroup")),
        (user("-1", None, None, &[]), Err("-1")),
    ];
    for (user, expected) in cases {
        let got = identify(&user, PASSWD, GROUP);
        let expected = match expected {
            Ok((uid, gid, groups, home)) => Ok(Identity { uid, gid, groups, home: home.into() }),
            Err(name) => Err(StartFailure::new(Step::User, name, Errno::NOENT)),
        };
        assert_eq!(got, expected, "{user:?}");
    }
}

#[test]
fn an_image_without_users_has_root() {
    let root = identify(&user("", None, None, &[]), "", "").unwrap();
    assert_eq!((root.uid, root.gid, root.home.as_str()), (0, 0, "/"));
}
