import ArgumentParser
import ConclaveProtocol
import MLSOpenSSL
import WaxwingClient
import WaxwingCore
import Waxwing

struct StoreShow: Action {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show where a profile is, its kind of store, and a hash of everything in it.",
        discussion: """
            Two profiles with the same hash have the same content, whatever store they are kept in.

            Example:
              waxwing store show --json
            """)

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let store = try profile.openStoreToRead()
        guard let kind = try profile.storeKindToRead() else { throw Failure.notLoggedIn }
        let view = StoreView(
            kind: kind.rawValue, path: profile.storePath(kind), revision: try store.revision(),
            digest: hexEncode(try store.contentDigest(OpenSSLProvider())))
        if output.json {
            Console.print(try JSON.line(view))
        } else {
            Console.print("\(view.kind)  \(view.path)")
            Console.print("  revision \(view.revision), SHA-256 of the content \(view.digest)")
        }
    }
}

/// What `store show` and `store convert` print for scripts.
struct StoreView: Encodable {
    /// sqlite or files.
    var kind: String
    var path: String
    /// Change sets committed so far.
    var revision: UInt64
    /// Lower-case hex.
    var digest: String
    /// The same before a conversion.
    var digestBefore: String?
}
