"""Tests for twisted_envoy.formatter.operators.metadata."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import bareRecord, fullRecord
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.operators.metadata import lookUp
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText

TEXTS = {
    "%DYNAMIC_METADATA(dns)%": '{"a":{"b":[1,null]},"s":"text"}',
    "%DYNAMIC_METADATA(dns:a:b)%": "[1,null]",
    "%DYNAMIC_METADATA(dns:s)%": "text",
    "%DYNAMIC_METADATA(dns:s):2%": "te",
    "%DYNAMIC_METADATA(dns:nope)%": "-",
    "%DYNAMIC_METADATA(dns:s:x)%": "-",
    "%DYNAMIC_METADATA(dns:a:b:0)%": "-",
    "%DYNAMIC_METADATA(nope)%": "-",
    "%DYNAMIC_METADATA(:s)%": "-",
    "%CLUSTER_METADATA(cns:s)%": "str",
    "%CLUSTER_METADATA(cns:d)%": '{"n":null,"x":"y\\"q"}',
    "%CLUSTER_METADATA(cns:d:x)%": 'y"q',
    "%CLUSTER_METADATA(cns:d:n)%": "-",
    "%UPSTREAM_METADATA(hns:s)%": "hv",
    "%METADATA(DYNAMIC:dns:s)%": "text",
    "%METADATA(CLUSTER:cns:s):1%": "s",
    "%METADATA(UPSTREAM_HOST:hns)%": '{"s":"hv"}',
    "%METADATA(LISTENER:lns:n)%": "3",
    "%METADATA(LISTENER_FILTER_CHAIN:fns:q)%": "1",
    "%METADATA(ROUTE:a:b)%": "-",
    "%METADATA(VIRTUAL_HOST:a)%": "-",
    "%METADATA(CLUSTER)%": "-",
}


class MetadataTests(SynchronousTestCase):
    def test_texts(self) -> None:
        """Structs as JSON, scalars bare, a dash for what is missing."""
        for source, text in TEXTS.items():
            self.assertEqual(compileText(source)(fullRecord()), text, source)

    def test_typesInJSON(self) -> None:
        """The value keeps its type; only a string is cut."""
        format = {
            "a": "%DYNAMIC_METADATA(dns):3%",
            "b": "%METADATA(LISTENER:lns:n)%",
            "c": "%DYNAMIC_METADATA(dns:s):3%",
        }
        line = compileJSON(format)(fullRecord())

        self.assertEqual(line, '{"a":{"a":{"b":[1,null]},"s":"text"},"b":3,"c":"tex"}\n')

    def test_nothingKnown(self) -> None:
        """Without upstream and listener all is unset."""
        for source in TEXTS:
            self.assertEqual(compileText(source)(bareRecord()), "-", source)

    def test_errors(self) -> None:
        """Envoy's words."""
        texts = {
            "%DYNAMIC_METADATA()%": "DYNAMIC_METADATA requires parameters",
            "%METADATA()%": " is not supported type of metadata",
            "%METADATA(X:a)%": "X is not supported type of metadata",
            "%CLUSTER_METADATA(a):2%": "CLUSTER_METADATA does not allow length to be specified.",
        }
        for source, text in texts.items():
            self.assertEqual(str(self.assertRaises(FormatError, compileText, source)), text)

    def test_lookUp(self) -> None:
        """An empty path is the thing itself."""
        self.assertEqual(lookUp({"a": 1}, []), {"a": 1})
