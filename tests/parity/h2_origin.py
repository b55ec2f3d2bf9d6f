"""
An HTTP/2 origin that does what the header `x-do` of a request says.

Its words, one after the other: a number is a head of that status, with `ends` in front of it one
that ends the stream; `data`, `end`, `trailers`, `reset7` and other codes, `goaway`, `close` and
`hang`.
Without it the request comes back.
"""

from __future__ import annotations

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from hyperframe.frame import GoAwayFrame

from tests.parity.peers import Peer


class H2Origin:
    """
    An origin's `serve`.

    Args:
        settings: to send, beside the usual ones.
    """

    def __init__(self, settings: dict[int, int] | None = None) -> None:
        self._settings = settings or {}

    def __call__(self, peer: Peer) -> object:
        """Serve one connection; gives the paths that were asked for."""
        return _Connection(peer, self._settings).run()


class _Connection:
    """One connection: requests are answered when they have ended, `early` ones at once."""

    def __init__(self, peer: Peer, settings: dict[int, int]) -> None:
        self._peer = peer
        config = h2.config.H2Configuration(client_side=False, header_encoding="latin-1")
        self._h2 = h2.connection.H2Connection(config)
        self._settings = settings
        self._requests: dict[int, list[tuple[str, str]]] = {}
        self._bodies: dict[int, bytes] = {}
        self._paths: list[str] = []
        self._closed = False

    def run(self) -> object:
        """Until the end."""
        self._h2.initiate_connection()
        if self._settings:
            self._h2.update_settings(
                {h2.settings.SettingCodes(key): value for key, value in self._settings.items()}
            )
        self._flush()
        while not self._closed:
            received = self._peer.some()
            if not received:
                break
            try:
                for event in self._h2.receive_data(received):
                    self._event(event)
            except h2.exceptions.ProtocolError:
                break
            self._flush()
        return self._paths

    def _flush(self) -> None:
        self._peer.send(self._h2.data_to_send())

    def _event(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            headers = [(str(name), str(value)) for name, value in event.headers]
            self._requests[event.stream_id] = headers
            self._bodies[event.stream_id] = b""
            self._paths.append(dict(headers).get(":path", "CONNECT"))
            if "x-early" in dict(headers):
                self._answer(event.stream_id)
        elif isinstance(event, h2.events.DataReceived):
            self._bodies[event.stream_id] += event.data
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            shown = "".join(f"\n{name}: {value}" for name, value in event.headers)
            self._bodies[event.stream_id] += shown.encode()
        elif isinstance(event, h2.events.StreamEnded):
            if "x-early" not in dict(self._requests[event.stream_id]):
                self._answer(event.stream_id)

    def _answer(self, stream: int) -> None:
        headers = self._requests[stream]
        script = dict(headers).get("x-do")
        if script is None:
            lines = sorted(f"{name}: {value}" for name, value in headers)
            body = "\n".join([*lines, "", ""]).encode("latin-1") + self._bodies[stream]
            self._h2.send_headers(stream, [(":status", "200")])
            self._h2.send_data(stream, body, end_stream=True)
            return
        for word in script.split():
            self._act(stream, word)

    def _act(self, stream: int, word: str) -> None:
        if word == "data":
            self._h2.send_data(stream, b"some")
        elif word == "end":
            self._h2.end_stream(stream)
        elif word == "trailers":
            self._h2.send_headers(stream, [("x-trailer", "1")], end_stream=True)
        elif word.startswith("reset"):
            self._h2.reset_stream(stream, int(word[5:]))
        elif word == "goaway":
            self._flush()
            self._peer.send(GoAwayFrame(0, last_stream_id=stream).serialize())
        elif word == "close":
            self._closed = True
        elif word != "hang":
            status = word.removeprefix("ends")
            self._h2.send_headers(stream, [(":status", status)], end_stream=word != status)
