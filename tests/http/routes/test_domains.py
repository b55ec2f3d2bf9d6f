"""Tests for twisted_envoy.http.routes.domains."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.routes.domains import Domains, DuplicateDomain

_names = st.text("ab.", max_size=4)
_domains = st.tuples(st.sampled_from(["", "*"]), _names, st.sampled_from(["", "*"])).map("".join)


def naive(domains: list[str], host: str) -> str | None:
    """Envoy's order, one domain after the other."""
    if host in domains and host != "*" and not host.startswith("*") and not host.endswith("*"):
        return host
    suffixes = [d for d in domains if d.startswith("*") and d != "*"]
    fitting = [d for d in suffixes if host.endswith(d[1:]) and len(host) > len(d) - 1]
    if not fitting:
        prefixes = [d for d in domains if d.endswith("*") and not d.startswith("*")]
        fitting = [d for d in prefixes if host.startswith(d[:-1]) and len(host) > len(d) - 1]
    if fitting:
        return max(fitting, key=len)
    return "*" if "*" in domains else None


class DomainsTests(SynchronousTestCase):
    @given(st.lists(_domains, unique=True, max_size=8), st.lists(st.text("ab.", max_size=6)))
    def test_asOneByOne(self, domains: list[str], hosts: list[str]) -> None:
        """The index answers what looking at each domain would."""
        index: Domains[str] = Domains()
        for domain in domains:
            index.add(domain, domain)
        index.sort()
        for host in hosts * 2:
            self.assertEqual(index.find(host.encode()), naive(domains, host), host)

    def test_duplicates(self) -> None:
        """Each kind may be there once, whatever its case."""
        for domain in ("a.b", "*.b", "a.*", "*"):
            index: Domains[int] = Domains()
            index.add(domain, 1)
            error = self.assertRaises(DuplicateDomain, index.add, domain.upper(), 2)
            self.assertEqual(error.domain, domain)

    def test_manyHosts(self) -> None:
        """What is remembered of wildcards has a bound."""
        index: Domains[int] = Domains()
        index.add("*.b", 1)
        index.sort()
        for number in range(3000):
            self.assertEqual(index.find(b"%d.b" % number), 1)
        self.assertLessEqual(len(index._kept), 1024)

    def test_defaultOnly(self) -> None:
        """It is known whether hosts matter at all."""
        index: Domains[int] = Domains()
        index.add("*", 1)
        self.assertTrue(index.isDefaultOnly)
        index.add("a", 1)
        self.assertFalse(index.isDefaultOnly)
