// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "EchoBot",
    dependencies: [.package(name: "waxwing", path: "../../..")],
    targets: [.executableTarget(name: "EchoBot", dependencies: [.product(name: "Waxwing", package: "waxwing")])]
)
