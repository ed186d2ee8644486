import Testing

/// The two programs as people run them. One story at a time: each starts many processes, and some measure what a process uses.
@Suite(.serialized, .timeLimit(.minutes(10))) enum EndToEnd {}
