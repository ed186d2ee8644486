import ConclaveProtocol
import Glibc
import MLS
import Testing
import WaxwingCore

@testable import WaxwingCLI

/// Not the type of the same name in Swift Testing.
typealias Status = WaxwingCLI.ExitStatus

struct FailureTests {
    private func check(_ error: any Error, _ expected: Status, line: Int = #line) throws {
        let failure = try #require(Failure(explaining: error), "line \(line)")
        #expect(failure.status == expected, "line \(line)")
        #expect(!failure.message.isEmpty, "line \(line)")
    }

    @Test func everyErrorOfTheClientHasItsExitCode() throws {
        try check(CoreError.notSignedIn, .notLoggedIn)
        try check(CoreError.otherAccount(username: "x", server: "y"), .notPossible)
        try check(CoreError.unknownGroup, .unknownName)
        try check(CoreError.unknownUser, .unknownName)
        try check(CoreError.unknownInvite, .unknownName)
        try check(CoreError.unknownOutboxRow(7), .unknownName)
        try check(CoreError.groupClosed(.left), .notPossible)
        try check(CoreError.emptyMessage, .usage)
        try check(CoreError.requestLost, .profileDamaged)
        try check(StoreError(.full, "x"), .diskFull)
        try check(StoreError(.notPermitted, "x"), .profileUnusable)
        try check(StoreError(.corrupt, "x"), .profileDamaged)
        try check(StoreError(.newerFormat, "x"), .profileDamaged)
        try check(TransportError(.notSent, .unreachable, "x"), .unreachable)
        try check(TransportError(.notSent, .nameNotFound, "x"), .unreachable)
        try check(TransportError(.unknown, .timeout, "x"), .unreachable)
        try check(TransportError(.notSent, .badCertificate, "x"), .badCertificate)
        try check(TransportError(.notSent, .certificateDate, "x"), .badCertificate)
        try check(TransportError(.unknown, .badAnswer, "x"), .badAnswer)
        try check(TransportError(.unknown, .serverTrouble, "x"), .badAnswer)
        try check(TransportError(.unknown, .askedToWait, "x"), .askedToWait)
        try check(MLSError(.invalidCommit, "x"), .other)
    }

    /// What the server answered, decoded as real answers are.
    @Test(arguments: [
        (401, "application/x-protobuf", [0x10, 0xCA, 0x01] as [UInt8], Status.sessionOver),
        (404, "application/x-protobuf", [0x10, 0xAC, 0x02], .unknownName),
        (403, "application/x-protobuf", [0x10, 0xAE, 0x02], .refused),
        (500, "application/x-protobuf", [], .badAnswer),
        (429, "text/plain", [], .askedToWait),
        (429, "text/html", Array("<html>".utf8), .askedToWait),
        (502, "text/html", Array("<html>".utf8), .badAnswer),
        (200, "text/html", Array("<html>".utf8), .badAnswer),
        (200, "application/x-protobuf", [0xFF], .badAnswer),
    ])
    func everyAnswerHasItsExitCode(status: Int, type: String, body: [UInt8], expected: Status) throws {
        let call = Endpoint.groups(token: "token")
        let error = #expect(throws: ProtocolError.self) {
            try call.decode(APIResponse(status: status, contentType: type, body: body))
        }
        try check(try #require(error), expected)
    }

    /// Someone between could make every handshake fail, and wait for just that advice to be followed.
    @Test func aBrokenHandshakeIsNoReasonToGoWithoutEncryption() throws {
        for outcome in [TransportError.Outcome.notSent, .unknown] {
            let failure = try #require(Failure(explaining: TransportError(outcome, .tls, "x")))
            #expect(failure.status == .unreachable)
            #expect(!failure.hint.isEmpty && !failure.hint.contains("http://"))
        }
    }

    @Test func errorsOfTheCommandLineAreLeftToItsParser() {
        struct Stranger: Error {}
        #expect(Failure(explaining: Stranger()) == nil)
    }

    @Test func exitCodesAreDistinctAndAllExplained() {
        let codes = Status.allCases.map(\.rawValue)
        #expect(Set(codes).count == codes.count)
        #expect(!codes.contains(0) && codes.allSatisfy { (1...125).contains($0) || $0 == 128 + SIGINT })
        #expect(Status.table.split(separator: "\n").count == codes.count)
        #expect(Set(Status.allCases.map(\.meaning)).count == codes.count)
    }
}
