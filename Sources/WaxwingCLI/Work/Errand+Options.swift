import Waxwing

extension Errand {
    init(_ account: Account, _ options: WaitOptions) { self.init(account, patience: options.patience) }
}
