"""Tests for twisted_envoy.formatter.substitution."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import bareRecord, fullRecord, requestRecord
from tests.formatter.views import viewOfYAML
from twisted_envoy.config.unread import unread
from twisted_envoy.errors import ConfigError
from twisted_envoy.formatter.substitution import compileSubstitution

FORMAT = "envoy.config.core.v3.SubstitutionFormatString"


class CompileSubstitutionTests(SynchronousTestCase):
    def line(self, yaml: str) -> str:
        return compileSubstitution(viewOfYAML(FORMAT, yaml))(fullRecord())

    def test_textSource(self) -> None:
        """A data source's text, without a newline of its own."""
        self.assertEqual(
            self.line('{text_format_source: {inline_string: "tf %BYTES_SENT%"}}'), "tf 6"
        )

    def test_deprecatedText(self) -> None:
        """text_format still works."""
        self.assertEqual(self.line('{text_format: "tf %BYTES_SENT%"}'), "tf 6")

    def test_json(self) -> None:
        """A JSON line with its newline; sort_properties false changes nothing, as in Envoy."""
        self.assertEqual(
            self.line(
                '{json_format: {b: "%BYTES_SENT%", a: x},'
                " json_format_options: {sort_properties: false}}"
            ),
            '{"a":"x","b":6}\n',
        )

    def test_omitEmptyValues(self) -> None:
        """The flag reaches both kinds."""
        text = viewOfYAML(FORMAT, '{text_format: "<%PROTOCOL%>", omit_empty_values: true}')
        json = viewOfYAML(FORMAT, '{json_format: {p: "%PROTOCOL%"}, omit_empty_values: true}')

        self.assertEqual(compileSubstitution(text)(bareRecord()), "<>")
        self.assertEqual(compileSubstitution(json)(bareRecord()), "{}\n")

    def test_errorsHavePlaces(self) -> None:
        """A wrong format is an error of its field."""
        error = self.assertRaises(
            ConfigError, self.line, 'omit_empty_values: true\ntext_format: "%X%"'
        )

        self.assertEqual(error.problem, "Not supported field in StreamInfo: X")
        self.assertEqual(error.position.line if error.position else 0, 2)

    def test_noFormat(self) -> None:
        """One of the kinds has to be there."""
        self.assertRaises(ConfigError, self.line, "{}")

    def test_everyFieldButContentTypeIsRead(self) -> None:
        """The content type is the sender's business."""
        view = viewOfYAML(
            FORMAT, "{json_format: {a: b}, json_format_options: {}, content_type: text/x}"
        )

        compileSubstitution(view)

        self.assertEqual([one.fieldName for one in unread(view)], ["content_type"])

    def test_formatters(self) -> None:
        """Those whose commands are built in are obeyed, others are left unread."""
        known, other = (
            viewOfYAML(
                FORMAT,
                'text_format: "x"\nformatters:\n- name: f\n  typed_config:\n'
                f'    "@type": type.googleapis.com/envoy.extensions.formatter.{name}\n',
            )
            for name in ("metadata.v3.Metadata", "cel.v3.Cel")
        )

        compileSubstitution(known)
        compileSubstitution(other)

        self.assertEqual(unread(known), [])
        self.assertNotEqual(unread(other), [])

    def test_aFormattersCommand(self) -> None:
        """Known where its extension is named, and nowhere else."""
        source = 'text_format: "%REQ_WITHOUT_QUERY(:PATH)%"\n'
        named = viewOfYAML(
            FORMAT,
            source + "formatters:\n- name: f\n  typed_config:\n"
            '    "@type": type.googleapis.com/'
            "envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery\n",
        )

        self.assertEqual(compileSubstitution(named)(requestRecord(b"/a?b")), "/a")
        self.assertRaises(ConfigError, compileSubstitution, viewOfYAML(FORMAT, source))
