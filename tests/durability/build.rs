//! Builds the library that stands between the server and its disk, with the system's C compiler. Linux only: elsewhere
//! there is none, and the tests that need it are not built.

use std::path::PathBuf;
use std::process::Command;

const SOURCE: &str = "src/disk.c";

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-env-changed=CC");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names it")).join("libdisk.so");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let arguments = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"];
    let status = Command::new(&compiler).args(arguments).arg(&out).arg(SOURCE).status();
    assert!(status.is_ok_and(|status| status.success()), "{} did not build {SOURCE}", compiler.display());
    println!("cargo::rustc-env=MOA_DISK_SHIM={}", out.display());
}
