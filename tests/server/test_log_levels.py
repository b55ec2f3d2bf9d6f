"""Tests for `twisted_envoy.server.log_levels`."""

from __future__ import annotations

from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.log_levels import (
    LOGGERS,
    LogControl,
    LogControlError,
    componentOf,
    levelWeight,
    parseComponentLevels,
    weightOf,
)


class LevelTests(SynchronousTestCase):
    """Names of levels and the levels of Twisted's events."""

    def test_warnIsWarning(self) -> None:
        """Envoy takes both words."""
        self.assertEqual(levelWeight("warn"), levelWeight("warning"))

    def test_unknownLevel(self) -> None:
        """The text is Envoy's."""
        error = self.assertRaises(LogControlError, levelWeight, "nope")
        self.assertEqual(str(error), "invalid log level specified 'nope'")

    def test_eventLevels(self) -> None:
        """Each of Twisted's levels has its weight; trace is a marked debug event."""
        mine = {"log_namespace": "twisted_envoy.x"}
        for level, weight in (
            (LogLevel.debug, 1),
            (LogLevel.info, 2),
            (LogLevel.warn, 3),
            (LogLevel.error, 4),
            (LogLevel.critical, 5),
        ):
            self.assertEqual(weightOf({**mine, "log_level": level}), weight)
        self.assertEqual(weightOf({**mine, "log_level": LogLevel.debug, "log_trace": True}), 0)
        self.assertEqual(weightOf({**mine, "log_level": LogLevel.error, "log_critical": True}), 5)
        self.assertEqual(weightOf({**mine, "log_level": LogLevel.info, "log_critical": True}), 2)

    def test_twistedsChatterIsDebug(self) -> None:
        """Twisted's informational lines are shown at debug, its warnings as warnings."""
        event = {"log_namespace": "twisted.internet.protocol.Factory", "log_level": LogLevel.info}
        self.assertEqual(weightOf(event), 1)
        self.assertEqual(weightOf({**event, "log_level": LogLevel.warn}), 3)
        self.assertEqual(weightOf({"log_namespace": "log_legacy", "log_level": LogLevel.info}), 1)


class ComponentTests(SynchronousTestCase):
    """Which of Envoy's loggers an event belongs to."""

    def test_byNamespace(self) -> None:
        """The most special prefix counts, whole words only."""
        for namespace, component in (
            ("twisted_envoy.server.tap", "main"),
            ("twisted_envoy.server.admin.router", "admin"),
            ("twisted_envoy.server.administer", "main"),
            ("twisted_envoy.upstream.tcp_pool", "pool"),
            ("twisted_envoy.upstream.cluster", "upstream"),
            ("twisted_envoy.extensions.filters.network.echo", "filter"),
            ("somebody.else", "misc"),
            ("conn_handler", "conn_handler"),
        ):
            self.assertEqual(componentOf({"log_namespace": namespace}), component)

    def test_namedByTheEvent(self) -> None:
        """A `component` key wins."""
        event = {"log_namespace": "twisted_envoy.server", "component": "runtime"}
        self.assertEqual(componentOf(event), "runtime")

    def test_everyComponentIsALogger(self) -> None:
        """A namespace never leads to a logger that /logging does not list."""
        for module in ("server", "config", "internal", "sockets", "access_log", "http", "stats"):
            self.assertIn(componentOf({"log_namespace": f"twisted_envoy.{module}.x"}), LOGGERS)


class ControlTests(SynchronousTestCase):
    """Changing levels."""

    def test_oneLogger(self) -> None:
        """A changed logger shows more, the others stay."""
        control = LogControl("info")
        control.setLevels([("upstream", "trace")])
        self.assertTrue(control.shows("upstream", 0))
        self.assertFalse(control.shows("main", 1))
        self.assertEqual(control.levelOf("upstream"), "trace")

    def test_offShowsNothing(self) -> None:
        """Off silences critical lines."""
        self.assertFalse(LogControl("off").shows("main", 5))

    def test_unknownLoggerCountsAsMisc(self) -> None:
        """A component of a third party's follows misc."""
        control = LogControl("info")
        control.setLevels([("misc", "error")])
        self.assertFalse(control.shows("theirs", 3))

    def test_allOrNothing(self) -> None:
        """One wrong pair leaves every level as it was."""
        control = LogControl("info")
        error = self.assertRaises(
            LogControlError, control.setLevels, [("main", "debug"), ("nope", "debug")]
        )
        self.assertEqual(str(error), "invalid component specified 'nope'")
        self.assertEqual(control.levelOf("main"), "info")

    def test_setAll(self) -> None:
        """Every logger gets the level."""
        control = LogControl("info")
        control.setAll("warn")
        self.assertEqual({control.levelOf(name) for name in LOGGERS}, {"warning"})

    def test_componentLevelsText(self) -> None:
        """`name:level` pairs; anything else is Envoy's error."""
        self.assertEqual(
            parseComponentLevels("upstream:debug,config:trace"),
            [("upstream", "debug"), ("config", "trace")],
        )
        for wrong in ("admin", ":debug", "admin:", "a:b:c", ""):
            error = self.assertRaises(LogControlError, parseComponentLevels, wrong)
            self.assertEqual(str(error), f"component log level not correctly specified '{wrong}'")
