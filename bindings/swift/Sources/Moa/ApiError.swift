extension ApiError: CustomStringConvertible {
    /// What to say to a person, in the app's language; `localizedDescription` says the same.
    public var text: String { description }
}
