//! Finding the program, and replacing this process by it.

use std::ffi::CString;

use rustix::io::Errno;

use super::{Outcome, StartFailure, Step, sys};

/// Where programs are looked up that name no path, if the environment does not say (upstream: OCI engines).
pub(in crate::runtime) const DEFAULT_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The paths that `name` may mean: itself with a slash, else one in each directory of `path`.
pub(in crate::runtime) fn program_candidates(name: &str, path: &str) -> Vec<String> {
    if name.contains('/') {
        return vec![name.to_owned()];
    }
    let directories = path.split(':').map(|directory| if directory.is_empty() { "." } else { directory });
    directories.map(|directory| format!("{}/{name}", directory.trim_end_matches('/'))).collect()
}

/// A program ready to be executed: everything that allocates or can be refused is done.
pub(in crate::runtime) struct Program {
    candidates: Vec<CString>,
    name: String,
    argv: Vec<CString>,
    env: Vec<CString>,
}

impl Program {
    /// `name` is what to execute, which the program sees as `argv` says.
    pub(in crate::runtime) fn new(name: &str, argv: &[String], env: &[(String, String)]) -> Outcome<Self> {
        let name = name.to_owned();
        let path = env.iter().rev().find(|(key, _)| key == "PATH").map_or(DEFAULT_PATH, |(_, value)| value);
        let strings = |text: String| {
            CString::new(text).map_err(|_| StartFailure::new(Step::Exec, name.clone(), Errno::INVAL))
        };
        Ok(Self {
            candidates: program_candidates(&name, path).into_iter().map(strings).collect::<Outcome<_>>()?,
            argv: argv.iter().cloned().map(strings).collect::<Outcome<_>>()?,
            env: env.iter().map(|(key, value)| strings(format!("{key}={value}"))).collect::<Outcome<_>>()?,
            name,
        })
    }

    /// Replaces this process. Returns only on failure: the most telling one, as a shell would report.
    pub(in crate::runtime) fn exec(&self) -> StartFailure {
        let mut errno = Errno::NOENT;
        for candidate in &self.candidates {
            match sys::exec(candidate, &self.argv, &self.env) {
                Errno::NOENT | Errno::NOTDIR => {}
                Errno::ACCESS => errno = Errno::ACCESS,
                other => {
                    errno = other;
                    break;
                }
            }
        }
        StartFailure::new(Step::Exec, self.name.clone(), errno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates() {
        let cases: [(&str, &str, &[&str]); 4] = [
            ("/app", "/bin", &["/app"]),
            ("./app", "/bin", &["./app"]),
            ("app", "/usr/bin:/bin/", &["/usr/bin/app", "/bin/app"]),
            ("app", ":/bin", &["./app", "/bin/app"]),
        ];
        for (name, path, expected) in cases {
            assert_eq!(program_candidates(name, path), expected, "{name} in {path}");
        }
    }
}
