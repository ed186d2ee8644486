import ArgumentParser

struct Trust: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare identity keys, so that nobody can pass for somebody else.",
        discussion: """
            The key a user first shows in a group is remembered; a different one later is told. Compare fingerprints by a way
            that the server has no hand in, such as a call. Names are kept as they were first seen; if two could be taken for each other, the beginning
            of the id stands behind each, and commands take that form. While somebody is in a group whom you have not accepted, nothing you write leaves.

            Example:
              waxwing trust show bob
              waxwing trust list
              waxwing trust accept lunch bob
              waxwing trust rename bob
            """,
        subcommands: [
            TrustShow.self, TrustList.self, TrustAccept.self, TrustVerify.self, TrustRename.self,
            TrustLevelCommand.self,
        ])
}
