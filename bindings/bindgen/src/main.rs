//! Generates the Kotlin and Swift sides of `moa-bindings`: see `bindings/README.md`.

fn main() {
    uniffi::uniffi_bindgen_main();
}
