"""
A token bucket that fills all the time, as fractions of tokens.

Envoy: source/common/common/token_bucket_impl.h, AtomicTokenBucketImpl
"""

from __future__ import annotations

from collections.abc import Callable


class TokenBucket:
    """
    Begins full.

    Args:
        most: tokens that it holds. rate: tokens that come in a second.
        seconds: the reactor's clock.

    Attributes:
        tokens: at the time when somebody looked last.
    """

    __slots__ = ("_looked", "_seconds", "most", "rate", "tokens")

    def __init__(self, most: int, rate: float, seconds: Callable[[], float]) -> None:
        self.most = most
        self.rate = rate
        self._seconds = seconds
        self.tokens = float(most)
        self._looked = seconds()

    def _fill(self) -> float:
        now = self._seconds()
        self.tokens = tokens = min(self.most, self.tokens + (now - self._looked) * self.rate)
        self._looked = now
        return tokens

    def take(self) -> bool:
        """One token; False when there is none."""
        if self._fill() < 1.0:
            return False
        self.tokens -= 1.0
        return True

    def takeAll(self, count: int) -> bool:
        """So many tokens; False when there are fewer, and none is taken."""
        if self._fill() < count:
            return False
        self.tokens -= count
        return True

    def give(self, count: int) -> None:
        """Put so many back, as far as there is room."""
        self.tokens = min(float(self.most), self._fill() + count)

    def takeUpTo(self, most: int) -> int:
        """So many whole tokens as there are."""
        taken = min(most, int(self._fill()))
        self.tokens -= taken
        return taken

    def keep(self, tokens: float) -> None:
        """Have so many tokens now, whatever there were."""
        self._fill()
        self.tokens = min(float(self.most), tokens)

    def wait(self) -> float:
        """Seconds until there is a whole token; 0 when there is."""
        missing = 1.0 - self._fill()
        return missing / self.rate if missing > 0 else 0.0
