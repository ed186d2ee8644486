import ArgumentParser

struct Trust: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare identity keys, so that no one can pass for someone else.",
        discussion: """
            The first key that a user shows in a group is remembered; if a different one comes later, you are told. \
            Compare fingerprints in a way that the server has no part in, such as a phone call.

            Names stay as they were first seen. If two could be mistaken for each other, each is followed by the \
            beginning of its id, and commands take that form.

            While someone whom you have not accepted is in a group, nothing you write there leaves.

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
