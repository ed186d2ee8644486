import ArgumentParser

/// A command that does something.
protocol Action: ParsableCommand {
    /// Carries it out.
    ///
    /// - Throws: ``Failure``, or an error that `Failure(explaining:)` knows.
    func run(in surroundings: Surroundings) async throws
}
