// swift-tools-version:6.0
// What lies in `target/generated` comes from the library: `make test-swift` writes it (see `bindings/README.md`).
import PackageDescription

let package = Package(
    name: "Moa",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Moa", targets: ["Moa"])],
    targets: [
        .systemLibrary(name: "moaFFI", path: "target/generated/moaFFI"),
        .target(
            name: "Moa",
            dependencies: ["moaFFI"],
            path: ".",
            exclude: ["Tests", "target/generated/panicking", "target/generated/panickingFFI", "target/generated/moaFFI"],
            sources: ["Sources/Moa", "target/generated/moa"],
            linkerSettings: [.linkedLibrary("moa")]
        ),
        .testTarget(name: "MoaTests", dependencies: ["Moa", "Panicking"]),

        // A library made like Moa's, whose calls panic: for the tests alone.
        .systemLibrary(name: "panickingFFI", path: "target/generated/panickingFFI"),
        .target(
            name: "Panicking",
            dependencies: ["panickingFFI"],
            path: "target/generated/panicking",
            linkerSettings: [.linkedLibrary("panicking")]
        ),
    ]
)
