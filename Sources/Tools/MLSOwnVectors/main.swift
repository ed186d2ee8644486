import Foundation
import MLS
import MLSOpenSSL

guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("usage: own-vectors DIR\n".utf8))
    exit(2)
}

do {
    let folder = URL(fileURLWithPath: CommandLine.arguments[1], isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for file in try OwnVectors.files(for: CipherSuite.allCases, provider: OpenSSLProvider()) {
        try Data(file.text.utf8).write(to: folder.appendingPathComponent(file.name + ".json"))
        print("\(file.name): \(file.cases.count) cases")
    }
} catch {
    FileHandle.standardError.write(Data("own-vectors: \(error)\n".utf8))
    exit(1)
}
