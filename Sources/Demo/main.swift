import Dispatch
import Foundation

// A child that ends early must not take the demo with it.
signal(SIGPIPE, SIG_IGN)

let stage = try Stage()
let interrupts = [SIGINT, SIGTERM, SIGHUP].map { number in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler { [stage] in
        stage.clear()
        exit(128 + number)
    }
    source.resume()
    return source
}

do {
    var story = try Story(Programs(), on: stage)
    try story.play()
    stage.clear()
    print("\nThe end: everything arrived, once, for everyone.")
} catch {
    stage.clear()
    Narrator.aside("failed: \(error)")
    exit(1)
}
