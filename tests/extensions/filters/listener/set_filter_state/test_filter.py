"""Objects set at accept."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.set_filter_state.test_config import value
from tests.http.manager import bootstrap
from twisted_envoy.extensions.common.filter_state.values import FilterStateValue
from twisted_envoy.extensions.filters.listener.set_filter_state.filter import SetFilterState
from twisted_envoy.interfaces.network import Verdict
from twisted_envoy.state.filter_state import LifeSpan, StringObject
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.testing import MemoryEnvoy

TYPE = "type.googleapis.com/envoy.extensions.filters.listener.set_filter_state.v3.Config"


class SetFilterStateTests(SynchronousTestCase):
    def test_feed(self) -> None:
        """Done at once, for as long as the connection lasts; no byte is read."""
        values = (FilterStateValue("k", StringObject, lambda context: f"at {context.now}"),)
        made = SetFilterState(values, lambda: 5.0)
        info = StreamInfo(0.0, None, None)
        self.assertEqual(made.feed(b"", info), (Verdict.DONE, 0))
        self.assertEqual(made.maxReadBytes, 0)
        entry = info.filterState.entry("k")
        assert entry is not None
        self.assertEqual(entry.value.plainText(), "at 5.0")
        self.assertIs(entry.lifeSpan, LifeSpan.CONNECTION)

    def test_inAListener(self) -> None:
        """Every request of the connection sees it."""
        config = json.loads(bootstrap())
        listener = config["static_resources"]["listeners"][0]
        accepting = {"@type": TYPE, "on_accept": [value(text="%DOWNSTREAM_REMOTE_ADDRESS%")]}
        listener["listener_filters"] = [{"name": "sfs", "typed_config": accepting}]
        hcm = listener["filter_chains"][0]["filters"][0]["typed_config"]
        format = {"text_format_source": {"inline_string": "%FILTER_STATE(k:PLAIN)%\n"}}
        hcm["access_log"][0]["typed_config"]["log_format"] = format
        envoy = MemoryEnvoy(json.dumps(config, indent=1))
        self.addCleanup(envoy.stop)
        client = envoy.connect("web")
        client.write(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        envoy.settle()
        (line,) = envoy.lines("log")
        self.assertRegex(line, r"\d:\d+\Z")
