import Archive
import ConclaveProtocol
import MLS
import Waxwing
import WaxwingClient
import WaxwingCore

/// The one place where errors turn into words and exit codes.
extension Failure {
    /// Nil for errors from elsewhere, such as the command line's parser.
    ///
    /// - Parameter clock: the command's, for what it says if it may be wrong; nil if only the message is wanted.
    init?(explaining error: any Error, clock: (() -> Moment)? = nil) {
        switch error {
        case let error as Failure: self = error
        case let error as CoreError: self.init(error)
        case let error as StoreError: self.init(error)
        case let error as TransportError: self.init(error, clock: clock)
        case let error as ProtocolError: self.init(error)
        case let error as AccountError: self.init(error)
        case let error as OutputFileError: self.init(error)
        case let error as ArchiveError: self.init(error)
        case let error as PartlyQueued:
            guard let failure = Failure(explaining: error.underlying, clock: clock) else { return nil }
            self = failure.behind(error.rows, isAll: error.isAll)
        case let error as LeaseError: self.init(error)
        case let error as MLSError: self.init(error)
        default: return nil
        }
    }
}
