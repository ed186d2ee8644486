import FoundationEssentials
import SwiftProtobuf
import Testing

@testable import ConclaveProtocol

/// What each answer must hold to be believed.
@Suite struct AnswerTests {
    private func error<Response>(_ call: Call<Response>, _ response: APIResponse) -> ProtocolError? {
        do {
            _ = try call.decode(response)
            return nil
        } catch {
            return error
        }
    }

    @Test func rowsMustRiseAboveTheCursorAndKeepTheLimit() throws {
        let call = Endpoint.messages(group: Sample.group, after: 4, limit: 3, token: Sample.token)
        func check(_ sequences: [UInt64], isValid: Bool) {
            let answer = WireGetMessagesResponse.with { $0.messages = sequences.map(Sample.row) }
            #expect((error(call, .ok(answer)) == nil) == isValid, "\(sequences)")
        }
        check([], isValid: true)
        check([5, 6, 7], isValid: true)
        check([5, 9, .max], isValid: true)
        check([4], isValid: false)
        check([0], isValid: false)
        check([5, 5], isValid: false)
        check([6, 5], isValid: false)
        check([5, 6, 7, 8], isValid: false)
        let rows = try call.decode(.ok(WireGetMessagesResponse.with { $0.messages = [Sample.row(5)] }))
        #expect(
            rows == [LogRow(sequence: 5, sender: Sample.id(1), message: [0, 1, 0, 2, 7], createdAt: 1_700_000_000)])
    }

    @Test func aPageIsNeverAskedForWithoutALimit() {
        func limit(_ asked: Int) -> String? {
            Endpoint.messages(group: Sample.group, after: .max, limit: asked, token: "t").request.query.last?.value
        }
        #expect(limit(-1) == "1")
        #expect(limit(0) == "1")
        #expect(limit(100) == "100")
        #expect(limit(.max) == "500")
    }

    @Test func aRowBeyondTheCursorOfAllCursorsIsRefused() {
        let call = Endpoint.messages(group: Sample.group, after: .max, limit: 3, token: Sample.token)
        #expect(error(call, .ok(WireGetMessagesResponse.with { $0.messages = [Sample.row(.max)] }))?.kind == .malformed)
    }

    @Test func onlyKeyPackagesThatWereAskedForAreTaken() throws {
        let call = Endpoint.invite([Sample.id(1), Sample.id(2)], group: Sample.group, token: Sample.token)
        func check(_ users: [UInt8], size: Int = 5, isValid: Bool) {
            let answer = WireInviteToGroupResponse.with {
                $0.memberKeyPackages = users.map { user in
                    .with {
                        $0.userID = Sample.data(user)
                        $0.keyPackageData = Data(repeating: 1, count: size)
                    }
                }
            }
            #expect((error(call, .ok(answer)) == nil) == isValid, "\(users) \(size)")
        }
        check([1, 2], isValid: true)
        check([2], size: 16 << 10, isValid: true)
        check([3], isValid: false)
        check([2, 2], isValid: false)
        check([2], size: 3, isValid: false)
        check([2], size: (16 << 10) + 1, isValid: false)
    }

    @Test func groupsAreListedWithTheirRoster() throws {
        let sample = try #require(Sample.calls.first { $0.name == "GET /groups" })
        let groups = try Endpoint.groups(token: Sample.token).decode(.ok(sample.answer))
        let group = try #require(groups.first)
        #expect(group.group == Sample.group)
        #expect(group.name == "readers")
        #expect(group.mlsGroupID == [0, 0xff])
        #expect(group.messageExpiry == .off)
        #expect(!group.isPublic)
        #expect(group.members.map(\.username) == ["user1", "user2"])
        #expect(group.members.map(\.isAdmin) == [true, false])
        #expect(group.members.map(\.fingerprint) == [Sample.fingerprint, Sample.fingerprint])
    }

    @Test func nobodyIsOnARosterTwice() {
        let double = WireListGroupsResponse.with {
            $0.groups = [
                .with {
                    $0.groupID = Sample.data(9)
                    $0.members = [Sample.member(1), Sample.member(1)]
                }
            ]
        }
        #expect(error(Endpoint.groups(token: "t"), .ok(double))?.kind == .malformed)
    }

    @Test func whatOneMemberMadeUpSpoilsNoListForOthers() throws {
        var member = Sample.member(3)
        member.signingKeyFingerprint = "not a fingerprint"
        member.alias = "\u{1b}[31mred\u{202e}\n\(String(repeating: "x", count: 500))"
        let answer = WireListGroupsResponse.with {
            $0.groups = [
                .with {
                    $0.groupID = Sample.data(9)
                    $0.mlsGroupID = "zz"
                    $0.members = [member]
                }
            ]
        }
        let group = try #require(try Endpoint.groups(token: "t").decode(.ok(answer)).first)
        #expect(group.mlsGroupID == nil)
        #expect(group.members[0].fingerprint == nil)
        #expect(group.members[0].alias.hasPrefix("[31mred"))
        #expect(group.members[0].alias.count <= 64)
        #expect(!group.members[0].alias.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202e })
    }

    @Test func aTokenThatWouldBreakAHeaderIsRefused() {
        func check(_ token: String, isValid: Bool) {
            let answer = WireLoginResponse.with {
                $0.token = token
                $0.userID = Sample.data(1)
            }
            #expect((error(Endpoint.login(username: "a", password: "b"), .ok(answer)) == nil) == isValid)
        }
        check(Sample.token.unwipedText, isValid: true)
        check("", isValid: false)
        check("abc\r\nHost: evil", isValid: false)
        check("a b", isValid: false)
        check("é", isValid: false)
        check(String(repeating: "a", count: 1025), isValid: false)
    }

    @Test func secretsAreNotPrinted() {
        let session = Session(token: "topsecret", userID: Sample.id(1), username: "alice")
        #expect(!"\(session)".contains("topsecret"))
        #expect(!String(reflecting: session).contains("topsecret"))
        #expect(!"\(Endpoint.me(token: "topsecret").request)".contains("topsecret"))
    }

    @Test func settingsAreSentOnlyWhereTheyChange() throws {
        func sent(_ changes: GroupChanges) throws -> WireUpdateGroupRequest {
            try WireUpdateGroupRequest(
                serializedBytes: Endpoint.updateGroup(Sample.group, changes, token: "t").request.body)
        }
        #expect(try sent(GroupChanges(name: "n")) == .with { $0.groupName = "n" })
        #expect(try sent(GroupChanges(isPublic: false)) == .with { $0.visibility = .private })
        #expect(
            try sent(GroupChanges(messageExpiry: .off))
                == .with {
                    $0.messageExpirySeconds = -1
                    $0.updateMessageExpiry = true
                })
        #expect(try sent(GroupChanges(messageExpiry: .afterFetch)) == .with { $0.updateMessageExpiry = true })
    }

    @Test func theSameKeyTravelsWithARepeatedPost() {
        let call = Endpoint.sendMessage([1], group: Sample.group, token: "t", idempotencyKey: "k")
        #expect(call.request.idempotencyKey == "k")
        #expect(Endpoint.sendMessage([1], group: Sample.group, token: "t").request.idempotencyKey == nil)
    }

    // MARK: - Polls

    @Test func aPollGivesTheEventsThatAreUnderstood() throws {
        let update = WireServerEvent.with { $0.groupUpdate = .with { $0.groupID = Sample.data(9) } }
        let events: [Data] = [
            try update.serializedData(), Data([0x7a, 0]), Data(), Data([0xff]), try update.serializedData(),
            Data(count: ServerHint.frameLength),
        ]
        let answer = WirePollEventsResponse.with {
            $0.events = events
            $0.nextCursor = "12"
            $0.missed = 3
        }
        let batch = try Endpoint.pollEvents(after: "7", wait: 25, token: Sample.token).decode(.ok(answer))
        let hint = ServerHint.groupUpdate(group: Sample.group, kind: .other)
        #expect(batch == EventBatch(hints: [hint, hint], cursor: "12", missed: 3))
    }

    @Test func aPollAsksForWhatIsWanted() {
        func query(_ cursor: String?, _ seconds: Int) -> [String] {
            Endpoint.pollEvents(after: cursor, wait: seconds, token: "t").request.query.map { "\($0.name)=\($0.value)" }
        }
        #expect(query("7", 25) == ["after=7", "wait=25"])
        #expect(query(nil, 0) == ["wait=0"])
        #expect(query(nil, -3) == ["wait=0"])
    }

    @Test func aCursorMustBeFitToBeSentBackAndMoveOn() {
        func check(_ cursor: String, events: Int = 0, isValid: Bool) {
            let answer = WirePollEventsResponse.with {
                $0.events = Array(repeating: Data(), count: events)
                $0.nextCursor = cursor
            }
            let call = Endpoint.pollEvents(after: "7", wait: 25, token: Sample.token)
            #expect((error(call, .ok(answer)) == nil) == isValid, "\(cursor.prefix(20)), \(events) events")
        }
        check("8", isValid: true)
        check("7", isValid: true)
        check(String(repeating: "9", count: ProtocolLimits.eventCursor), isValid: true)
        check(String(repeating: "9", count: ProtocolLimits.eventCursor + 1), isValid: false)
        for cursor in ["", "a b", "a\r\nX: y", "ü", "\u{7f}"] { check(cursor, isValid: false) }
        // Otherwise the same events would be asked for again and again.
        check("7", events: 1, isValid: false)
        check("8", events: ProtocolLimits.polledEvents, isValid: true)
        check("8", events: ProtocolLimits.polledEvents + 1, isValid: false)
    }

    @Test func theLastSequenceOfAPageIsSeenInPassing() {
        let page = Endpoint.messages(group: Sample.group, after: 4, limit: 3, token: Sample.token).request
        func check(_ request: APIRequest, _ response: APIResponse, _ expected: UInt64?) {
            #expect(response.lastSequence(answering: request) == expected)
        }
        let rows = APIResponse.ok(WireGetMessagesResponse.with { $0.messages = [Sample.row(5), Sample.row(9)] })
        check(page, rows, 9)
        check(page, .ok([]), nil)
        check(page, .ok([0xff]), nil)
        check(page, .ok(rows.body, status: 404), nil)
        check(Endpoint.me(token: Sample.token).request, rows, nil)
        check(Endpoint.sendMessage([1], group: Sample.group, token: Sample.token).request, rows, nil)
    }
}
