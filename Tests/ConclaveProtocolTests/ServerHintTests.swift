import FoundationEssentials
import SwiftProtobuf
import Testing

@testable import ConclaveProtocol

@Suite struct ServerHintTests {
    private let group = Sample.group

    private func decoded(_ event: WireServerEvent) throws -> ServerHint? {
        ServerHint.decode(hexFrame: Array(hexEncode(try event.serializedBytes() as [UInt8]).utf8))
    }

    private var events: [(WireServerEvent, ServerHint)] {
        let g = Sample.data(9)
        let u = Sample.data(2)
        let user = Sample.id(2)
        return [
            (
                .with {
                    $0.newMessage = .with {
                        $0.groupID = g
                        $0.sequenceNum = 7
                        $0.senderID = u
                    }
                }, .newMessage(group: group, sequence: 7, sender: user)
            ),
            (
                .with {
                    $0.groupUpdate = .with {
                        $0.groupID = g
                        $0.updateType = .commit
                    }
                }, .groupUpdate(group: group, kind: .commit)
            ),
            (
                .with {
                    $0.groupUpdate = .with {
                        $0.groupID = g
                        $0.updateType = .roleChange
                    }
                }, .groupUpdate(group: group, kind: .roles)
            ),
            (
                .with {
                    $0.groupUpdate = .with {
                        $0.groupID = g
                        $0.updateType = .UNRECOGNIZED(77)
                    }
                }, .groupUpdate(group: group, kind: .other)
            ),
            (.with { $0.welcome = .with { $0.groupID = g } }, .welcome(group: group)),
            (
                .with {
                    $0.memberRemoved = .with {
                        $0.groupID = g
                        $0.removedUserID = u
                    }
                }, .memberRemoved(group: group, user: user)
            ),
            (
                .with {
                    $0.identityReset = .with {
                        $0.groupID = g
                        $0.userID = u
                    }
                }, .identityReset(group: group, user: user)
            ),
            (
                .with {
                    $0.inviteReceived = .with {
                        $0.groupID = g
                        $0.inviteID = Sample.data(4)
                    }
                }, .inviteReceived(invite: Sample.id(4), group: group)
            ),
            (
                .with {
                    $0.inviteDeclined = .with {
                        $0.groupID = g
                        $0.declinedUserID = u
                    }
                }, .inviteDeclined(group: group, user: user)
            ),
            (.with { $0.inviteCancelled = .with { $0.groupID = g } }, .inviteCancelled(group: group)),
            (.with { $0.groupDeleted = .with { $0.groupID = g } }, .groupDeleted(group: group)),
        ]
    }

    @Test func everyEventIsRead() throws {
        for (event, hint) in events { #expect(try decoded(event) == hint) }
    }

    @Test func framesThatAreNotAnEventAreNil() {
        for text in ["", "0", "zz", "0a", "ffff", "hello world", "2a00", String(repeating: "0", count: 20_000)] {
            #expect(ServerHint.decode(hexFrame: Array(text.utf8)) == nil, "\(text.prefix(20))")
        }
    }

    @Test func idsOfAnotherLengthAreNotTaken() throws {
        for length in [0, 15, 17] {
            let short = Data(repeating: 9, count: length)
            let events: [WireServerEvent] = [
                .with {
                    $0.newMessage = .with {
                        $0.groupID = Sample.data(9)
                        $0.senderID = short
                    }
                },
                .with { $0.groupUpdate = .with { $0.groupID = short } },
                .with { $0.welcome = .with { $0.groupID = short } },
                .with { $0.memberRemoved = .with { $0.groupID = short } },
                .with { $0.identityReset = .with { $0.groupID = short } },
                .with { $0.inviteReceived = .with { $0.inviteID = short } },
                .with { $0.inviteDeclined = .with { $0.groupID = short } },
                .with { $0.inviteCancelled = .with { $0.groupID = short } },
                .with { $0.groupDeleted = .with { $0.groupID = short } },
            ]
            for event in events { #expect(try decoded(event) == nil) }
        }
    }

    @Test func randomFramesNeverTrap() throws {
        var random = SeededGenerator(seed: 5)
        for (event, _) in events {
            let bytes: [UInt8] = try event.serializedBytes()
            for _ in 0..<500 {
                var flipped = bytes
                flipped[Int.random(in: 0..<flipped.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                _ = ServerHint.decode(hexFrame: Array(hexEncode(flipped).utf8))
                _ = ServerHint.decode(hexFrame: random.bytes(40))
            }
        }
    }
}
