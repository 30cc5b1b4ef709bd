//! Builds `samples/hello` as a static program, for `src/sample.rs` to carry.

use std::{env, path::PathBuf, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=../../samples/hello");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let target = env::var("TARGET").expect("cargo sets TARGET");
    let built = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"))
        .args(["build", "--quiet", "--release", "--package", "hello", "--target", &target])
        // A directory of its own: the outer cargo holds the lock on the usual one.
        .arg("--target-dir")
        .arg(out.join("sample"))
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            ["-Ctarget-feature=+crt-static", "-Crelocation-model=static", "-Cpanic=abort", "-Cstrip=symbols"]
                .join("\x1f"),
        )
        .env_remove("RUSTFLAGS")
        .status()
        .expect("cargo runs cargo");
    assert!(built.success(), "building samples/hello failed");
    let program = out.join("sample").join(target).join("release/hello");
    let hello = out.join("hello");
    // Another file each time: the old one may be shared with another build by a link, or be executed.
    let _ = std::fs::remove_file(&hello);
    std::fs::copy(&program, &hello).expect("the sample was built");
}
