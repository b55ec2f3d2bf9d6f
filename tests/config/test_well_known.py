"""Tests of twisted_envoy.config.well_known."""

from datetime import datetime, timezone

from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import decode, outcome, view
from twisted_envoy.config import well_known
from twisted_envoy.config.nodes import Place, scalarNode
from twisted_envoy.config.problem import Problem


def text(value: str) -> object:
    return scalarNode("!", value, Place(0, 0))


class DurationTests(SynchronousTestCase):
    """Durations."""

    @settings(max_examples=200, deadline=None)
    @given(st.integers(-(10**10), 10**10), st.integers(0, 999_999_999))
    def test_secondsAndFraction(self, seconds: int, nanos: int) -> None:
        """Every duration of protobuf's own text form is read back."""
        made = duration_pb2.Duration(seconds=seconds, nanos=-nanos if seconds < 0 else nanos)
        read = duration_pb2.Duration()
        well_known.fillDuration(read, text(made.ToJsonString()))
        self.assertEqual(read, made)

    def test_words(self) -> None:
        """Each way to be wrong has its words."""
        for value, words in (
            ("", "duration must start with an integer"),
            ("-", "duration had bad seconds"),
            ("99999999999999999999s", "duration had bad seconds"),
            ("400000000000s", "duration out of range"),
            ("1.s", "duration had bad nanoseconds"),
            ("1", "duration must end with a single 's'"),
            ("5 s", "duration must end with a single 's'"),
        ):
            read = duration_pb2.Duration()
            problem = self.assertRaises(Problem, well_known.fillDuration, read, text(value))
            self.assertEqual(problem.text, words)

    def test_faults(self) -> None:
        """Durations that no rule of the schema allows: negative and endless ones."""
        for seconds, nanos, words in (
            (5, 0, ""),
            (-5, 0, "Invalid duration: Expected positive duration: seconds: -5"),
            (0, -1, "Invalid duration: Expected positive duration: nanos: -1"),
            (
                5,
                10**9,
                "Invalid duration: Duration out-of-range according to Protobuf: "
                "seconds: 5 nanos: 1000000000",
            ),
            (
                9223372036,
                0,
                "Invalid duration: Duration out-of-range: seconds: 9223372036",
            ),
        ):
            made = duration_pb2.Duration(seconds=seconds, nanos=nanos)
            self.assertEqual(well_known.durationFault(made), words)

    def test_asAnObject(self) -> None:
        """Seconds and nanoseconds may be given as fields."""
        read = view("stats_flush_interval: {seconds: 2, nanos: 500000000}")
        self.assertEqual(read.stats_flush_interval, 2.5)


class TimestampTests(SynchronousTestCase):
    """Timestamps."""

    @settings(max_examples=200, deadline=None)
    @given(st.datetimes(min_value=datetime(1, 1, 1), timezones=st.just(timezone.utc)))
    def test_everyTime(self, moment: datetime) -> None:
        """Every time of protobuf's own text form is read back."""
        made = timestamp_pb2.Timestamp()
        made.FromDatetime(moment)
        read = timestamp_pb2.Timestamp()
        well_known.fillTimestamp(read, text(made.ToJsonString()))
        self.assertEqual(read, made)

    def test_zones(self) -> None:
        """Offsets count backwards."""
        for value, seconds in (
            ("1970-01-01T01:00:00+01:00", 0),
            ("1970-01-01T00:00:00-01:30", 5400),
            ("1970-01-01T00:00:00.5Z", 0),
        ):
            read = timestamp_pb2.Timestamp()
            well_known.fillTimestamp(read, text(value))
            self.assertEqual(read.seconds, seconds)

    def test_words(self) -> None:
        """Each way to be wrong has its words."""
        for value, words in (
            ("1970", "timestamp string too short"),
            ("0000-01-01T00:00:00Z", "bad year in timestamp"),
            ("1970-00-01T00:00:00Z", "bad month in timestamp"),
            ("1970-99-01T00:00:00Z", "bad month in timestamp"),
            ("1970-01-00T00:00:00Z", "bad day in timestamp"),
            ("1970-01-01Txx:00:00Z", "bad hours in timestamp"),
            ("1970-01-01T00:xx:00Z", "bad minutes in timestamp"),
            ("1970-01-01T00:00:xxZ", "bad seconds in timestamp"),
            ("1970-01-01T00:00:00.Z", "timestamp had bad nanoseconds"),
            ("1970-01-01T00:00:00.12", "timestamp missing timezone offset"),
            ("1970-01-01T00:00:00z", "bad timezone offset"),
            ("1970-01-01T00:00:00+1:00", "timestamp offset of wrong size."),
            ("1970-01-01T00:00:00+1x:00", "timestamp offset has bad hours and minutes"),
        ):
            read = timestamp_pb2.Timestamp()
            problem = self.assertRaises(Problem, well_known.fillTimestamp, read, text(value))
            self.assertEqual(problem.text, words, value)


class MaskTests(SynchronousTestCase):
    """Field masks."""

    def test_camelCase(self) -> None:
        """Paths are written in camelCase and read in snake_case."""
        mask = field_mask_pb2.FieldMask()
        well_known.fillMask(mask, text("a.bC,d"))
        self.assertEqual(list(mask.paths), ["a.b_c", "d"])
        well_known.fillMask(mask, text(""))
        self.assertEqual(len(mask.paths), 2)


class StructTests(SynchronousTestCase):
    """Structs and Values."""

    def test_everyKind(self) -> None:
        """Python gets back what YAML said, as Envoy takes it."""
        read = view("metadata: {a: [1, yes, x, null, {b: 1.5}], c: {}, d: 4294967296, e: []}", NODE)
        self.assertEqual(
            read.metadata,
            {"a": [1, True, "x", None, {"b": "1.5"}], "c": {}, "d": "4294967296", "e": []},
        )

    def test_listValue(self) -> None:
        """A ListValue is a list, or the object that it is in protobuf."""
        name = "google.protobuf.ListValue"
        holder = "envoy.config.core.v3.TypedExtensionConfig"
        for value in ("[1, [2]]", "{values: [1, [2]]}"):
            text = f"name: x\ntyped_config: {{'@type': a/{name}, value: {value}}}"
            record = decode(text, holder)
            self.assertEqual(len(record.entries["typed_config"][2].content.message.values), 2)

    def test_tooDeep(self) -> None:
        """A hundred levels, not more."""
        for levels, deep in ((98, False), (99, True)):
            found = outcome("node: {metadata: " + "{a: " * levels + "1" + "}" * levels + "}")
            self.assertEqual("JSON content was too deeply nested" in found, deep)
        lists = outcome("node: {metadata: {a: " + "[" * 98 + "]" * 98 + "}}")
        self.assertIn("<list>: message google.protobuf.Value: JSON content was too", lists)


NODE = "envoy.config.core.v3.Node"
