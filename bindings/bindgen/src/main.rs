//! Generates the Kotlin and Swift sides of `moa-bindings`: see `bindings/README.md`.

mod swift;

use std::env;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    uniffi::uniffi_bindgen_main(); // Leaves with 1 if it failed.
    let arguments: Vec<String> = env::args().collect();
    let value = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1);
    let (Some("swift"), Some(out)) = (value("--language").map(String::as_str), value("--out-dir")) else {
        return ExitCode::SUCCESS;
    };
    match swift::finish(Path::new(out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
