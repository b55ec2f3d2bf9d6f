"""The filter of one connection."""

from twisted_envoy.network.link import Link


class Knock(Link):
    """
    Waits for the word. When it has come the filter takes it away and steps off the path.

    Args:
        word: bytes. patience: seconds, 0 for ever. wrong: a counter. reactor: IReactorTime.
    """

    def __init__(self, word, patience, wrong, reactor):
        self.word = word
        self.patience = patience
        self.wrong = wrong
        self.reactor = reactor
        self.seen = b""
        self.timer = None

    def connectionMade(self):
        self.hold()  # the filters behind are not started yet
        if self.patience:
            self.timer = self.reactor.callLater(self.patience, self.refuse)

    def dataReceived(self, data):
        self.seen += data
        if self.seen.startswith(self.word):
            self.stopTimer()
            rest = self.seen[len(self.word) :]
            self.leave()  # starts them; bytes go straight to them from now on
            if rest:
                self.deliver(rest)
        elif not self.word.startswith(self.seen):
            self.refuse()

    def readConnectionLost(self):
        self.refuse()

    def connectionLost(self, reason):
        self.stopTimer()

    def refuse(self):
        self.wrong.value += 1
        self.transport.abortConnection()

    def stopTimer(self):
        if self.timer is not None and self.timer.active():
            self.timer.cancel()
