#!/usr/bin/env bash
# The bindings from Swift, against the real server; and what of the shell for iOS needs no iPhone. What cargo builds for it is built before: see the Makefile.
set -euo pipefail
cd "$(dirname "$0")/.."

built=$PWD/target/debug
package=bindings/swift
case $(uname) in Darwin) ending=dylib ;; *) ending=so ;; esac

# The Swift sources of a library go to one folder, its C header with the module map to another.
generate() {
    local name=$1 library=$2 into=$package/target/generated
    rm -rf "${into:?}/$name" "$into/${name}FFI"
    mkdir -p "$into/$name" "$into/${name}FFI"
    "$built/moa-bindgen" generate --language swift --no-format --out-dir "$into/$name" "$library"
    mv "$into/$name/${name}FFI.h" "$into/${name}FFI/"
    mv "$into/$name/${name}FFI.modulemap" "$into/${name}FFI/module.modulemap"
}
generate moa "$built/libmoa.$ending"
generate panicking "$built/libpanicking.$ending"

export MOA_SERVER=$built/moa MOA_WORLD=$built/world LD_LIBRARY_PATH=$built
scripts/swift.sh test --package-path "$package" --scratch-path target/swift \
    -Xlinker "-L$built" --disable-swift-testing "$@"
scripts/swift.sh test --package-path ios/Shell --scratch-path target/swift-shell \
    -Xlinker "-L$built" --disable-swift-testing
