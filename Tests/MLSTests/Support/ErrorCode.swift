import MLS
import Testing

/// Expects `body` to throw an ``MLSError`` of that code.
func expectError<R>(
    _ code: MLSError.Code, _ what: String = "", at location: SourceLocation = #_sourceLocation, _ body: () throws -> R
) {
    do {
        _ = try body()
        Issue.record("\(what): nothing was thrown, expected \(code)", sourceLocation: location)
    } catch let error as MLSError {
        #expect(error.code == code, "\(what): \(error)", sourceLocation: location)
    } catch {
        Issue.record("\(what): \(error)", sourceLocation: location)
    }
}
