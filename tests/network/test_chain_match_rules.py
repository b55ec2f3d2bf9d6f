"""What one filter chain asks of its connections."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.network.test_chain_match import Match, Range
from twisted_envoy.errors import ConfigError
from twisted_envoy.network.chain_match_rules import isUnimplemented, matchText, readRules
from twisted_envoy.network.cidr import CIDR


class TextTests(SynchronousTestCase):
    def test_emptyFieldsAreLeftOut(self):
        """No match and an empty one are the same; a prefix length of 0 is not none."""
        self.assertEqual(matchText(None), "{}")
        self.assertEqual(matchText(Match()), "{}")
        self.assertEqual(
            matchText(Match(prefix_ranges=(Range("::", 0), Range("::")))),
            '{"prefix_ranges":[{"address_prefix":"::","prefix_len":0},{"address_prefix":"::"}]}',
        )

    def test_textIsEscapedAsEnvoyDoes(self):
        """Angle brackets too; letters of any script stand as they are."""
        self.assertEqual(
            matchText(Match(server_names=('a"b\\<>&é', "x/y\t\x7f"))),
            '{"server_names":["a\\"b\\\\\\u003c\\u003e&é","x/y\\t\\u007f"]}',
        )


class RulesTests(SynchronousTestCase):
    def test_nothingAsked(self):
        """Every connection fits, and one rule is enough to end that."""
        self.assertTrue(readRules(None, ValueError).matchesEverything)
        self.assertTrue(readRules(Match(), ValueError).matchesEverything)
        self.assertFalse(readRules(Match(source_ports=(1,)), ValueError).matchesEverything)

    def test_everyStepHasItsAlternatives(self):
        """In Envoy's order."""
        match = Match(
            destination_port=1,
            prefix_ranges=(Range("1.0.0.0", 8),),
            server_names=("A", "*.B"),
            transport_protocol="tls",
            application_protocols=("h2", "h1"),
            direct_source_prefix_ranges=(Range("2.0.0.0", 8),),
            source_type="EXTERNAL",
            source_prefix_ranges=(Range("3.0.0.0", 8),),
            source_ports=(4, 5),
        )

        steps = readRules(match, ValueError).steps

        one, two, three = (CIDR(32, n << 24, 8) for n in (1, 2, 3))
        names = ("a", ".b")
        last = (("EXTERNAL",), (three,), (4, 5))
        self.assertEqual(steps, ((1,), (one,), names, ("tls",), ("h2", "h1"), (two,), *last))

    def test_errors(self):
        """The listener's problems are made by the caller, an address's stand at the address."""
        self.assertRaises(LookupError, readRules, Match(server_names=("*",)), LookupError)
        bad = Match(prefix_ranges=(Range("nope", 1),))
        with self.assertRaises(ConfigError) as caught:
            readRules(bad, LookupError)
        self.assertEqual(caught.exception.path, "address_prefix")

    def test_unimplemented(self):
        """Two fields are there and not obeyed by Envoy."""
        self.assertFalse(isUnimplemented(None))
        self.assertFalse(isUnimplemented(Match()))
        self.assertTrue(isUnimplemented(Match(address_suffix="x")))
        self.assertTrue(isUnimplemented(Match(suffix_len=0)))
