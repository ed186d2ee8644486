/// The version of this server, as `waxwingd --version` and its metrics tell it.
public let waxwingVersion = "0.1.0"
