import ArgumentParser
import ConclaveProtocol
import FoundationEssentials
import MLSOpenSSL
import WaxwingClient
import WaxwingCore

struct StoreConvert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Move a profile into another sort of store: one SQLite file, or a folder of text files.",
        discussion: """
            Everything is copied and compared before the old store is removed. No other command may use the profile meanwhile.

            Example:
              waxwing store convert files
              waxwing store convert sqlite
            """)

    @Argument(help: "sqlite or files.")
    var kind: StoreKind

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let profile = try Profile.locate(profile)
        guard let old = try profile.storeKind() else { throw Failure.notLoggedIn }
        let lease = try profile.closeToOthers()
        defer { withExtendedLifetime(lease) {} }
        if old != kind { try convert(profile, from: old) }
        let store = try profile.open(kind: kind)
        let view = StoreView(
            kind: kind.rawValue, path: profile.storePath(kind), revision: try store.revision(),
            digest: hexEncode(try store.contentDigest(OpenSSLProvider())))
        if output.json {
            Console.print(try JSON.line(view))
        } else {
            Console.print(
                old == kind ? "kept as \(kind.rawValue) already" : "now kept as \(kind.rawValue): \(view.path)")
            Console.print("  SHA-256 of the content \(view.digest)")
        }
    }

    private func convert(_ profile: Profile, from old: StoreKind) throws {
        let place = profile.storePath(kind)
        let draft = place + ".new"
        // What an earlier try left behind.
        try profile.remove(kind, at: draft)
        do {
            let source = try profile.open(kind: old)
            let target = try profile.open(kind: kind, at: draft)
            try source.copyContent(to: target) { Console.progress("\($0) records copied") }
            Console.wipeProgress()
            let provider = OpenSSLProvider()
            guard try source.contentDigest(provider) == target.contentDigest(provider) else {
                throw Failure(.other, "the copy differs from the store", hint: "nothing was changed; try again")
            }
        }
        // From here on the new one counts, or the old one until it is gone: they hold the same.
        try profile.move(kind, from: draft)
        try profile.remove(old, at: profile.storePath(old))
    }
}
