import Foundation

// A child that ends early must not take the demo with it.
signal(SIGPIPE, SIG_IGN)

do {
    let stage = try Stage()
    let interrupts = stage.clearOnInterrupt()
    defer { withExtendedLifetime(interrupts) { stage.clear() } }
    var story = try Story(Programs(), on: stage)
    try story.play()
    Narrator.scene("Everything arrived, once, for everyone.")
} catch {
    Narrator.aside("failed: \(error)")
    exit(1)
}
