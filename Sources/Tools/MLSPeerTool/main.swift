import Glibc
import MLSOpenSSL
import MLSPeer

guard CommandLine.arguments.count == 1 else {
    writeAll(Array("usage: mls-peer < requests > answers\n".utf8), to: STDERR_FILENO)
    exit(2)
}

var peer = Peer(
    provider: OpenSSLProvider(), entropy: SystemEntropy(), clock: { UInt64(max(0, time(nil))) })
var requests = LineReader(lengthMax: Peer.lineLengthMax) { try readSome(from: STDIN_FILENO) }
do {
    while !peer.isFinished, let line = try requests.next() {
        let answer =
            switch line {
            case .text(let request): peer.answer(request)
            case .tooLong: Peer.answerToLongLine
            }
        guard writeAll(answer + [UInt8(ascii: "\n")], to: STDOUT_FILENO) else { exit(1) }
    }
} catch {
    writeAll(Array("mls-peer: \(error)\n".utf8), to: STDERR_FILENO)
    exit(1)
}
