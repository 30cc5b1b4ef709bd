//! Who a container runs as: numbers from the image's user and Kubernetes' overrides, by the image's own files.

use std::fs::File;
use std::io::Read;

use rustix::io::Errno;

use super::{Outcome, StartFailure, Step};
use crate::runtime::User;

/// More than this of a user database is not read.
const DATABASE_MAX: u64 = 4 << 20;

/// A user as the kernel knows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: Vec<u32>,
    pub(super) home: String,
}

/// Looks the user up in `/etc/passwd` and `/etc/group`. The root file system must have been entered.
pub(super) fn find(user: &User) -> Outcome<Identity> {
    identify(user, &read("/etc/passwd"), &read("/etc/group"))
}

/// A file that is absent, or no file at all, is as an empty one: images without users are common.
fn read(path: &str) -> String {
    use std::os::unix::fs::OpenOptionsExt;
    // Without blocking, in case the image has a named pipe there.
    let open = File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    let mut bytes = Vec::new();
    if let Ok(file) = open
        && file.metadata().is_ok_and(|metadata| metadata.is_file())
        && file.take(DATABASE_MAX).read_to_end(&mut bytes).is_err()
    {
        bytes.clear();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn identify(user: &User, passwd: &str, group: &str) -> Outcome<Identity> {
    let absent = |name: &str| StartFailure::new(Step::User, name, Errno::NOENT);
    let (image_user, image_group) = match user.image.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (user.image.as_str(), None),
    };
    let entries = || passwd.lines().filter_map(Entry::parse);
    let by_uid = |uid| entries().find(|entry| entry.uid == uid);
    // An override of the user drops the image's group too: it belongs to the user that is not used.
    let (entry, uid, image_group) = match (user.uid, image_user) {
        (Some(uid), _) => (by_uid(uid), uid, None),
        (None, "") => (by_uid(0), 0, image_group),
        (None, name) => match entries().find(|entry| entry.name == name) {
            Some(entry) => {
                let uid = entry.uid;
                (Some(entry), uid, image_group)
            }
            None => {
                let uid = name.parse().map_err(|_| absent(name))?;
                (by_uid(uid), uid, image_group)
            }
        },
    };
    let gid = match (user.gid, image_group) {
        (Some(gid), _) => gid,
        (None, Some(name)) => group_id(group, name).ok_or_else(|| absent(name))?,
        (None, None) => entry.as_ref().map_or(0, |entry| entry.gid),
    };
    let mut groups = entry.as_ref().map_or_else(Vec::new, |entry| memberships(group, entry.name));
    groups.extend(&user.groups);
    // Always among them, as login does: a program that asks for its groups expects its own.
    groups.push(gid);
    groups.sort_unstable();
    groups.dedup();
    let home = entry.map(|entry| entry.home).filter(|home| !home.is_empty()).unwrap_or("/");
    Ok(Identity { uid, gid, groups, home: home.to_owned() })
}

/// A line of `/etc/passwd`.
struct Entry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let (name, _password) = (fields.next()?, fields.next()?);
        let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let home = fields.nth(1).unwrap_or("");
        Some(Self { name, uid, gid, home })
    }
}

/// Name, id and members of each line of `/etc/group`.
fn groups(text: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, _password) = (fields.next()?, fields.next()?);
        Some((name, fields.next()?.parse().ok()?, fields.next().unwrap_or("")))
    })
}

fn group_id(text: &str, name: &str) -> Option<u32> {
    groups(text).find(|(known, ..)| *known == name).map(|(_, gid, _)| gid).or_else(|| name.parse().ok())
}

fn memberships(text: &str, user: &str) -> Vec<u32> {
    groups(text)
        .filter(|(.., members)| members.split(',').any(|member| member.trim() == user))
        .map(|(_, gid, _)| gid)
        .collect()
}

#[cfg(test)]
mod tests;
