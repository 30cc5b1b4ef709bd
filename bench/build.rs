//! Finds `samples/hello` as a static program, for `src/sample.rs` to carry: `$EBB_HELLO`, or one built here.

use std::{env, path::PathBuf, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=../samples/hello");
    println!("cargo::rerun-if-env-changed=EBB_HELLO");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let program = env::var_os("EBB_HELLO").map_or_else(|| build(&out), PathBuf::from);
    std::fs::copy(&program, out.join("hello"))
        .unwrap_or_else(|error| panic!("copying the sample {}: {error}", program.display()));
}

fn build(out: &std::path::Path) -> PathBuf {
    let target = env::var("TARGET").expect("cargo sets TARGET");
    let flags =
        ["-Ctarget-feature=+crt-static", "-Crelocation-model=static", "-Cpanic=abort", "-Cstrip=symbols"];
    let built = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"))
        .args(["build", "--quiet", "--release", "--package", "hello", "--target", &target])
        // A directory of its own: the outer cargo holds the lock on the usual one.
        .arg("--target-dir")
        .arg(out.join("sample"))
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env_remove("RUSTFLAGS")
        .status()
        .expect("cargo runs cargo");
    assert!(built.success(), "building samples/hello failed");
    out.join("sample").join(target).join("release/hello")
}
