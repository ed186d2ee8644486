import ConclaveProtocol
import Testing

@testable import WaxwingCLI
@testable import WaxwingCore

struct TroubleWordsTests {
    private let names = Names(known: [ID([UInt8](repeating: 1, count: 16))!: "bob"])
    private let bob = ID([UInt8](repeating: 1, count: 16))!

    /// They follow a colon.
    @Test func everyReasonHasWordsThatMayFollowAColon() throws {
        let troubles =
            Trouble.plain + GroupEnd.allCases.flatMap { [Trouble.groupClosed($0), .unread($0)] } + [
                .keysRefuse(detail: "x"), .commitImpossible(detail: "x"), .groupNameTaken("x"),
                .groupInfoUnusable(detail: "x"), .alreadyInvited(by: "bob"), .clockWrong(now: 0),
                .keyPackageUnusable(detail: "x"), .otherKey(user: bob, wasVerified: false),
                .otherUserNamed(asked: "x"), .nameOfAnother(asked: "x", user: bob),
                .keyPackageExpired(.init(name: "", notBefore: nil, notAfter: nil, now: 0, doubtfulClock: nil)),
            ]
        for trouble in troubles {
            let words = try trouble.words(names)
            #expect(words.contains(" ") && words != trouble.token, "\(trouble)")
            #expect(words.first?.isUppercase == false && words.last != ".", "\(words)")
        }
    }

    @Test func aKeyPackageThatIsNotValidSaysWhoseClockWasWrong() throws {
        func words(_ notBefore: UInt64, _ notAfter: UInt64, _ clock: UInt64? = nil) throws -> String {
            try Trouble.keyPackageExpired(
                .init(
                    name: "bob", notBefore: notBefore, notAfter: notAfter, now: 1_796_000_000, doubtfulClock: clock)
            ).words(names)
        }
        #expect(try words(2_100_000_000, 2_200_000_000).contains("bob's key package is not valid before 2036-07-18"))
        #expect(try words(2_100_000_000, 2_200_000_000).contains("bob's clock was wrong"))
        #expect(try words(31_536_000, 40_000_000).contains("ended on 1971-04-08: bob's clock was wrong"))
        #expect(try words(1_780_000_000, 1_790_000_000).contains("bob has not been online for a long time"))
        #expect(
            try words(1_780_000_000, 1_790_000_000, 0).contains("this machine's clock is wrong: it says 1970-01-01"))
        #expect(try words(1_780_000_000, 1_790_000_000).contains("run `waxwing sync`"))
    }

    /// The key and the name in them are those that commands take.
    @Test func anotherKeyAndAnotherNameTellTheCommandThatHelps() throws {
        let key = try Trouble.otherKey(user: bob, wasVerified: true).words(names)
        #expect(key.contains("than the one you verified") && key.contains("waxwing trust verify"), "\(key)")
        #expect(try Trouble.otherKey(user: bob, wasVerified: false).words(names).contains("saw before"))
        let name = try Trouble.nameOfAnother(asked: "dave", user: bob).words(names)
        #expect(name.contains("dave is bob") && name.contains("waxwing trust rename bob"), "\(name)")
    }
}
