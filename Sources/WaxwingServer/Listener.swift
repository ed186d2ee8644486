import ServiceLifecycle

/// The application, and its connections' end when it stops.
struct Listener<Application: Service>: Service {
    let application: Application
    let roster: ConnectionRoster
    /// Seconds that requests in progress have when the server stops.
    let grace: Double

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await application.run()
        } onGracefulShutdown: {
            roster.stop()
            Task {
                // If the task is cancelled, there is nothing to wait for.
                try? await Task.sleep(for: .seconds(grace))
                roster.closeAll()
            }
        }
    }
}
