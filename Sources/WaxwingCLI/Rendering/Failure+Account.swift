import Files
import Waxwing
import WaxwingCore

/// The library's errors in words.
extension Failure {
    init(_ error: AccountError) {
        switch error {
        case .notSignedIn: self = .notLoggedIn
        case .signedOut(let isOver): self = .signedOut(isOver: isOver)
        case .wrongPassword:
            self.init(
                .wrongPassword, "wrong username or password", hint: "`waxwing register` creates a new account")
        case .signedInAsAnother: self.init(.badAnswer, "the server logged in someone else")
        case .anotherAccount(let username, let server):
            self.init(
                .notPossible, "this profile belongs to \(username) at \(server)",
                hint: "use another profile for this account: --profile NAME")
        case .registeredOnly(let trouble):
            self.init(
                .other, "the account was created, but you are not logged in: \(trouble.words)",
                hint: "then: `waxwing login`"
            )
        case .closed: self.init(.other, "the account was closed")
        case .accountExists:
            self.init(
                .notPossible, "this profile already has an account",
                hint: "`waxwing login` logs in again; --profile NAME makes a second profile")
        case .usernameTaken: self.init(.refused, "the name is taken on this server")
        case .registrationClosed(let trouble):
            self.init(
                .refused, "the server does not take new accounts: \(trouble.words)",
                hint: "its operator may give you a token for --registration-token-file")
        case .serverUnknown: self.init(.usage, "the server is not known yet", hint: "name it: --server URL")
        case .invalidServerAddress:
            self.init(
                .usage, "this is not a server address",
                hint: "for example: --server https://chat.example.org, or --server host:8443")
        case .exposedServerAddress(let address):
            self.init(
                .usage, "with \(address) your password and who you talk to can be read on the way",
                hint: "use an https:// address, or --insecure-http if the way there is safe")
        case .invalidInput(let problem): self.init(.usage, "\(problem)")
        case .recordedTransport: self.init(.usage, "a replay cannot be recorded")
        case .archiveOfAnother: self.init(.notPossible, "the earlier archive is another account's")
        default: self.init(ofFiles: error)
        }
    }

    /// Those about the profile's files.
    private init(ofFiles error: AccountError) {
        switch error {
        case .openElsewhere:
            self.init(.profileInUse, "another process has this profile open", hint: "stop it, then try again")
        case .beingConverted:
            self.init(
                .profileInUse, "the profile is being moved into another store",
                hint: "wait for `waxwing store convert` to end, then try again")
        case .keptOtherwise(let kind):
            let other = StoreKind.allCases.first { $0 != kind } ?? kind
            self.init(
                .notPossible, "this profile is kept as \(kind.rawValue)",
                hint: "`waxwing store convert \(other.rawValue)` moves it")
        case .fileUnusable(let path, let code): self = .unusable(path, code)
        case .fileStays(let path, let code):
            self.init(.profileUnusable, "\(path) cannot be removed: \(FileError(path, systemError: code).reason)")
        case .fileDamaged(let path):
            self.init(.profileDamaged, "\(path) cannot be understood", hint: "delete the file, then try again")
        case .storesDiffer(let one, let other):
            self.init(
                .profileDamaged, "the profile has two stores, \(one) and \(other), and they differ",
                hint: "nothing was changed; move the one that is out of date to another folder")
        case .secondStoreDamaged(let error):
            self.init(
                .profileDamaged, "the profile has two stores, and one of them is damaged: \(error.reason.onOneLine)",
                hint: "nothing was changed; move the damaged one to another folder")
        case .copyDiffers:
            self.init(.other, "the copy differs from the store", hint: "nothing was changed; try again")
        case .interrupted: self = .interrupted
        case .invalidProfileName:
            self.init(
                .usage,
                "a profile's name has 1 to 64 letters, digits, dots, hyphens and underscores, and does not start with a dot"
            )
        case .noHome:
            self.init(
                .profileUnusable, "there is no home folder", hint: "set WAXWING_HOME to a folder of your own")
        case .pathUnusable(let path, let code):
            self.init(.usage, "the recording \(path) cannot be used: \(FileError(path, systemError: code).reason)")
        default: self.init(.other, "\(error)")
        }
    }

    init(_ error: OutputFileError) {
        switch error {
        case .exists(let path):
            self.init(.usage, "\(path) already exists", hint: "choose another name")
        case .notAFile(let path):
            self.init(.usage, "\(path) exists, and is not a file", hint: "choose another name")
        case .noName(let path): self.init(.usage, "\(path) is not a file name")
        case .inTheWay(let path):
            self.init(.usage, "\(path) is in the way", hint: "move it, or choose another name")
        case .beingWritten(let path):
            self.init(
                .profileInUse, "another process is writing \(path)", hint: "wait for it to end, then try again")
        case .justWritten(let path):
            self.init(.profileInUse, "another process has just written \(path)", hint: "try again")
        case .unusable(let path, let code) where FileError(path, systemError: code).isFull:
            self.init(.diskFull, "the disk of \(path) is full", hint: "make room, then try again")
        case .unusable(let path, let code):
            self.init(
                .other, "\(path) cannot be written: \(FileError(path, systemError: code).reason)",
                hint: "check the folder's owner and permissions")
        case .unsure(let path, let code):
            let reason = FileError(path, systemError: code).reason
            self.init(
                FileError(path, systemError: code).isFull ? .diskFull : .other,
                "\(path) is complete, but the disk does not confirm that it stays: \(reason)",
                hint: "copy it to another disk, or make room and run `sync`")
        case .interrupted: self = .interrupted
        }
    }

    static func unusable(_ path: String, _ code: Int32) -> Failure {
        let reason = FileError(path, systemError: code).reason
        if FileError(path, systemError: code).isFull {
            return Failure(.diskFull, "the disk of \(path) is full", hint: "make room, then try again")
        }
        return Failure(
            .profileUnusable, "the profile cannot be used: \(path): \(reason)",
            hint: "check the folder's owner and permissions, or set WAXWING_HOME to a folder of your own")
    }

    /// This failure, if some or all of the request is queued: it must not be asked for again.
    func behind(_ rows: [OutboxRow], isAll: Bool) -> Failure {
        let numbers = (rows.count == 1 ? "row " : "rows ") + rows.map { "\($0.order)" }.joined(separator: ", ")
        if isAll {
            return Failure(
                status, "\(message); what you asked for is queued: \(numbers)", hint: hint)
        }
        if !rows.isEmpty {
            return Failure(
                status, "\(message); what came before it is queued: \(numbers)",
                hint: "it goes out with the next sync; ask only for the rest again")
        }
        guard status == .diskFull else { return self }
        return Failure(.diskFull, "nothing was queued: \(message)", hint: hint)
    }
}
