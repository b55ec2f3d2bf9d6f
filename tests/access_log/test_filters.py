"""Tests for twisted_envoy.access_log.filters; what each says is what Envoy 1.40 logged."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.access_log.contexts import Context
from tests.formatter.records import answeredRecord, fullRecord, requestRecord
from tests.formatter.views import viewOfYAML
from twisted_envoy.access_log.filters import RecordFilter, buildFilter
from twisted_envoy.config.unread import unread
from twisted_envoy.errors import ConfigError, UnsupportedExtension
from twisted_envoy.state.stream_info import FormatContext

FILTER = "envoy.config.accesslog.v3.AccessLogFilter"


def compare(kind: str, operator: str, value: int) -> str:
    comparison = f"{{op: {operator}, value: {{default_value: {value}, runtime_key: k}}}}"
    return f"{{{kind}: {{comparison: {comparison}}}}}"


class FilterTestCase(SynchronousTestCase):
    """Builds filters and asks them."""

    def setUp(self) -> None:
        self.context = Context()

    def build(self, yaml: str) -> RecordFilter:
        view = viewOfYAML(FILTER, yaml)
        filter = buildFilter(view, self.context)
        self.assertEqual([one.path for one in unread(view)], [])
        return filter

    def says(self, yaml: str, record: FormatContext | None = None) -> bool:
        return self.build(yaml)(fullRecord() if record is None else record)


class FilterTests(FilterTestCase):
    """Of plain connections."""

    def test_statusCode(self) -> None:
        """A connection's status code is 0."""
        answers = {
            ("EQ", 0): True,
            ("GE", 1): False,
            ("LE", 5): True,
            ("NE", 0): False,
            ("NE", 1): True,
        }
        for (operator, value), answer in answers.items():
            self.assertEqual(
                self.says(compare("status_code_filter", operator, value)), answer, operator
            )

    def test_duration(self) -> None:
        """Whole milliseconds; the record took 21."""
        answers = {("GE", 21): True, ("GE", 22): False, ("LE", 20): False, ("EQ", 21): True}
        for (operator, value), answer in answers.items():
            self.assertEqual(
                self.says(compare("duration_filter", operator, value)), answer, operator
            )

    def test_whatAConnectionHasNot(self) -> None:
        """It is no health check, not traced, and its gRPC status is UNKNOWN."""
        answers = {
            "{not_health_check_filter: {}}": True,
            "{traceable_filter: {}}": False,
            "{grpc_status_filter: {statuses: [OK]}}": False,
            "{grpc_status_filter: {statuses: [OK], exclude: true}}": True,
            "{grpc_status_filter: {statuses: [UNKNOWN]}}": True,
        }
        for yaml, answer in answers.items():
            self.assertEqual(self.says(yaml), answer, yaml)

    def test_headers(self) -> None:
        """There are none."""
        answers = {
            "string_match: {exact: a}": False,
            "string_match: {exact: a}, invert_match: true": False,
            "present_match: false": True,
            "present_match: true, invert_match: true": True,
            "string_match: {exact: ''}, treat_missing_header_as_empty: true": True,
        }
        for matcher, answer in answers.items():
            yaml = f"{{header_filter: {{header: {{name: x, {matcher}}}}}}}"
            self.assertEqual(self.says(yaml), answer, yaml)

    def test_runtime(self) -> None:
        """The share that is sampled; nothing without one, all from 100 % on."""
        answers = {
            "{}": False,
            "{percent_sampled: {numerator: 0}}": False,
            "{percent_sampled: {numerator: 100}}": True,
            "{percent_sampled: {numerator: 101}}": True,
            "{percent_sampled: {numerator: 1000000, denominator: MILLION}, "
            "use_independent_randomness: true}": True,
        }
        for fields, answer in answers.items():
            yaml = "{runtime_filter: {runtime_key: k, " + fields[1:] + "}"
            self.assertEqual(self.says(yaml), answer, yaml)

    def test_runtimeShare(self) -> None:
        """Of many records about the share is written."""
        filter = self.build(
            "{runtime_filter: {runtime_key: k, "
            "percent_sampled: {numerator: 2500, denominator: TEN_THOUSAND}}}"
        )

        written = sum(filter(fullRecord()) for _ in range(2000))

        self.assertTrue(400 < written < 600, written)

    def test_responseFlags(self) -> None:
        """Any flag, or one of a list."""
        record = fullRecord()
        record.streamInfo.responseFlags = ["UF", "URX"]

        self.assertFalse(self.says("{response_flag_filter: {}}"))
        self.assertTrue(self.says("{response_flag_filter: {}}", record))
        self.assertTrue(self.says("{response_flag_filter: {flags: [UH, URX]}}", record))
        self.assertFalse(self.says("{response_flag_filter: {flags: [UH]}}", record))

    def test_andOr(self) -> None:
        """All, or one of them; they nest."""
        yes, no = "{not_health_check_filter: {}}", "{traceable_filter: {}}"
        both = f"{{and_filter: {{filters: [{yes}, {yes}]}}}}"
        answers = {
            both: True,
            f"{{and_filter: {{filters: [{yes}, {no}]}}}}": False,
            f"{{or_filter: {{filters: [{no}, {yes}]}}}}": True,
            f"{{or_filter: {{filters: [{no}, {no}]}}}}": False,
            f"{{or_filter: {{filters: [{no}, {both}]}}}}": True,
        }
        for yaml, answer in answers.items():
            self.assertEqual(self.says(yaml), answer, yaml)

    def test_logType(self) -> None:
        """The record's type is in the list, or is not."""
        answers = {
            "{types: [TcpConnectionEnd]}": True,
            "{types: [TcpConnectionEnd], exclude: true}": False,
            "{types: [TcpConnectionStart]}": False,
            "{}": False,
            "{exclude: true}": True,
        }
        for fields, answer in answers.items():
            self.assertEqual(self.says(f"{{log_type_filter: {fields}}}"), answer, fields)

    def test_metadata(self) -> None:
        """Found and equal, found and not, and not found; Envoy does not look at `invert` here."""
        matcher = "filter: dns, path: [{key: %s}], value: {string_match: {exact: text}}"
        answers = {
            "{}": True,
            "{matcher: {%s}}" % (matcher % "s"): True,
            "{matcher: {%s, invert: true}}" % (matcher % "s"): True,
            f"{{matcher: {{{matcher % 's'}}}}}".replace("text}", "other}"): False,
            "{matcher: {%s}}" % (matcher % "nope"): True,
            "{matcher: {%s}, match_if_key_not_found: true}" % (matcher % "nope"): True,
            "{matcher: {%s}, match_if_key_not_found: false}" % (matcher % "nope"): False,
        }
        for fields, answer in answers.items():
            self.assertEqual(self.says(f"{{metadata_filter: {fields}}}"), answer, fields)

    def test_extensions(self) -> None:
        """None is implemented; the error names the type."""
        cel = (
            "extension_filter: {name: x, typed_config: {'@type': type.googleapis.com/"
            "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter, expression: 'true'}}"
        )

        error = self.assertRaises(UnsupportedExtension, self.build, cel)
        nothing = self.assertRaises(ConfigError, self.build, "extension_filter: {name: x}")

        self.assertIn("cel.v3.ExpressionFilter", error.problem)
        self.assertEqual(
            nothing.problem, "Didn't find a registered implementation for 'x' with type URL: ''"
        )

    def test_nothing(self) -> None:
        """One kind has to be there."""
        self.assertRaises(ConfigError, self.build, "{}")


class RequestFilterTests(FilterTestCase):
    """Of requests."""

    def test_ofRequests(self) -> None:
        """Status, health check, headers, gRPC status, flags."""
        record = answeredRecord()
        record.streamInfo.requestHeaders.set(b"x-a", b"1")
        answers = {
            compare("status_code_filter", "EQ", 200): True,
            compare("status_code_filter", "GE", 300): False,
            "{not_health_check_filter: {}}": True,
            "{traceable_filter: {}}": False,
            "{header_filter: {header: {name: X-A, string_match: {exact: '1'}}}}": True,
            "{header_filter: {header: {name: x-b}}}": False,
            "{grpc_status_filter: {statuses: [UNKNOWN]}}": True,
            "{log_type_filter: {types: [DownstreamEnd]}}": True,
            "{log_type_filter: {types: [DownstreamStart, UpstreamEnd, NotSet]}}": False,
        }
        for yaml, answer in answers.items():
            self.assertEqual(self.says(yaml, record), answer, yaml)

    def test_healthCheck(self) -> None:
        """One that the health_check filter answered."""
        record = answeredRecord()
        record.streamInfo.isHealthCheck = True
        self.assertFalse(self.says("{not_health_check_filter: {}}", record))

    def test_grpcStatus(self) -> None:
        """Of headers or trailers, by Envoy's names."""
        record = answeredRecord()
        record.streamInfo.responseTrailers.set(b"grpc-status", b"1")
        for statuses, answer in (("[CANCELED]", True), ("[OK, ABORTED]", False)):
            yaml = f"{{grpc_status_filter: {{statuses: {statuses}}}}}"
            self.assertEqual(self.says(yaml, record), answer)
        self.assertFalse(
            self.says("{grpc_status_filter: {statuses: [CANCELED], exclude: true}}", record)
        )

    def test_comparesWithTheRuntime(self) -> None:
        """The key's value at that moment instead of the default."""
        filter = self.build(compare("status_code_filter", "GE", 500))
        self.assertFalse(filter(answeredRecord()))

        self.context.runtime.values["k"] = 200

        self.assertTrue(filter(answeredRecord()))

    def test_byRequestID(self) -> None:
        """The id decides, the same in every log; unless it must not."""
        yaml = "runtime_key: k, percent_sampled: {numerator: 50}"
        half = self.build(f"{{runtime_filter: {{{yaml}}}}}")
        for digits, answer in ((b"00000031", True), (b"00000032", False), (b"000000C8", True)):
            record = requestRecord(
                b"/", (b"x-request-id", digits + b"-012c-4ab8-b53d-ed97f48b80d6")
            )
            self.assertEqual({half(record) for _ in range(20)}, {answer})
        independent = self.build(
            f"{{runtime_filter: {{{yaml}, use_independent_randomness: true}}}}"
        )
        self.assertEqual({independent(record) for _ in range(50)}, {True, False})
        own = requestRecord(b"/", (b"x-request-id", b"zzz"))
        self.assertEqual({half(own) for _ in range(50)}, {True, False})

    def test_runtimeShareOfTheKey(self) -> None:
        """A whole number is of 100."""
        filter = self.build("{runtime_filter: {runtime_key: k}}")
        self.assertFalse(filter(answeredRecord()))

        self.context.runtime.values["k"] = 100

        self.assertTrue(filter(answeredRecord()))
