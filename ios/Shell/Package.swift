// swift-tools-version:6.0
import PackageDescription

let package = Package(
    name: "MoaShell",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "MoaShell", targets: ["MoaShell"])],
    dependencies: [.package(name: "Moa", path: "../../bindings/swift")],
    targets: [
        .target(name: "MoaShell", dependencies: [.product(name: "Moa", package: "Moa")]),
        .testTarget(name: "MoaShellTests", dependencies: ["MoaShell"]),
    ],
    // UIKit's delegates are of the main thread's, which not all of its SDKs say.
    swiftLanguageModes: [.v5]
)
