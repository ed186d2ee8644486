import Machine
import ArgumentParser
import ConclaveProtocol
import Waxwing

struct StoreConvert: Action {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Move a profile into another kind of store: one SQLite file, or a folder of text files.",
        discussion: """
            Everything is copied and compared before the old store is removed. No other command may use the profile \
            meanwhile.

            Example:
              waxwing store convert files
              waxwing store convert sqlite
            """)

    @Argument(help: "sqlite or files.")
    var kind: StoreKind

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let interrupt = Interrupt()
        let conversion = try profile.convert(to: kind, isStopped: { interrupt.hasCome }) {
            Console.progress("\($0) records copied")
        }
        let view = StoreView(
            kind: kind.rawValue, path: profile.storePath(kind), revision: conversion.revision,
            digest: hexEncode(conversion.digest), digestBefore: hexEncode(conversion.digestBefore))
        if output.json {
            Console.print(try JSON.line(view))
        } else if conversion.from == kind {
            Console.print("already kept as \(kind.rawValue)")
            Console.print("  SHA-256 of the content \(view.digest)")
        } else {
            Console.print("now kept as \(kind.rawValue): \(view.path)")
            Console.print("  SHA-256 of the content before \(hexEncode(conversion.digestBefore))")
            Console.print("                         after  \(view.digest)")
        }
    }
}
