"""Requests that are carried to an HTTP/2 upstream, beside the same ones in streams."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.codec.h2.bytesof import EH, ES, PADDED, PING, frame, number, rst, setting, window
from tests.codec.h2.bytesof import headers as headersFrame
from tests.extensions.filters.http.router.carrying import (
    ANSWERED,
    GET,
    HTTP2_CLUSTER,
    OK,
    CarrierCase,
    HTTP2BothScene,
    UpstreamScene,
    answerFrames,
)
from tests.http.manager import PROXIED
from tests.http.records import logs
from tests.switches import REFERENCE_CODEC

LATER = ((b":status", b"200"), (b"content-length", b"5"), (b"date", b"later"))
NO_LENGTH = (ANSWERED[0], ANSWERED[2])


def goAway(last: int) -> bytes:
    """GOAWAY without an error."""
    return frame(7, 0, 0, number(last) + number(0))


class HTTP1ClientTests(CarrierCase):
    """A client of HTTP/1.1."""

    skip = "the reference core knows no head" if REFERENCE_CODEC else None
    scene: type[UpstreamScene] = UpstreamScene
    cluster = HTTP2_CLUSTER
    step = 1
    scripts = 24

    def check(self, play: Callable[[Any], None], became: int = 1, **manager: Any) -> Any:
        """Both are the same, and so many exchanges became streams."""

        def whole(scene: Any) -> None:
            scene.warm()
            scene.ask()
            play(scene)

        said, _, streams = self.both(whole, **manager)
        isFirst = self.scene is UpstreamScene  # whose first answer no codec knew
        self.assertEqual(streams, became + isFirst)
        return said

    def test_same(self) -> None:
        """What each side gets and what is counted is the same."""
        _, carried, became = self.both(lambda scene: scene.warm(12))

        self.assertGreater(carried, 8)
        self.assertLess(became, 2)

    def test_bodies(self) -> None:
        """Each request gets its own body, in one millisecond or more."""

        def play(scene: Any) -> None:
            scene.warm()
            for count in range(8):
                scene.ask()
                scene.envoy.advance(count % 3 / 4)
                scene.answer(b"".join(answerFrames(scene.streams()[-1], body=b"%05d" % count)))

        self.assertGreater(self.both(play)[1], 9)

    def test_split(self) -> None:
        """An answer in two pieces, wherever it is cut; whole ones follow."""
        whole = b"".join(answerFrames(9))
        for place in range(1, len(whole), self.step):

            def play(scene: Any) -> None:
                scene.answer(whole[:place], whole[place:])  # noqa: B023
                scene.warm(2)

            self.check(play, place >= len(whole) - 14)

    def test_otherAnswers(self) -> None:
        """Whatever is no whole answer like the one before."""
        head, body = answerFrames(9)
        hints = headersFrame(9, ((b":status", b"103"), (b"link", b"a")), EH)
        trailers = headersFrame(9, ((b"more", b"said"),), EH | ES)
        for pieces in (
            (hints + head + body,),
            (head + frame(0, 0, 9, b"hello") + trailers,),
            (head + trailers,),
            (head + frame(0, 0, 9, b"hello") + frame(0, ES, 9, b""),),
            (head + frame(0, ES | PADDED, 9, b"\2hello\0\0"),),
            (head + frame(0, ES, 9, b"hell"),),
            (head + frame(0, ES, 9, b"hello!"),),
            (head + frame(0, ES, 9),),
            (head + head,),
            (head + rst(9),),
            (head + rst(9, 0),),
            (head + goAway(9) + body,),
            (head + goAway(1) + body,),
            (head + window(9, 0),),
            (head + frame(1, EH, 9, b"\xff\xff\xff\xff\xff\xff"),),
            (head + b"\xff" * 20,),
            (b"".join(answerFrames(9, LATER)),),
            (headersFrame(9, ANSWERED, EH | ES),),
            (headersFrame(9, ((b":status", b"204"),), EH | ES),),
            (headersFrame(9, ((b":status", b"404"), *ANSWERED[1:]), EH) + body,),
            (rst(9, 7),),
            (goAway(7),),
        ):
            self.check(lambda scene: scene.answer(*pieces))  # noqa: B023

    def test_between(self) -> None:
        """Other frames between headers and body change nothing."""
        head, body = answerFrames(9)
        for other in (PING, window(0, 9), setting(4, 100), frame(99, 0, 9, b"?"), window(9, 1)):
            isWindow = other[3] == 8  # which could end the stream
            self.check(lambda scene: scene.answer(head + other + body), isWindow)  # noqa: B023

    def test_times(self) -> None:
        """A time is over: the route's, and that of silence."""
        self.check(lambda scene: scene.envoy.advance(15.1))
        self.check(lambda scene: scene.envoy.advance(6), stream_idle_timeout="5s")

    def test_gone(self) -> None:
        """Either side leaves before the answer."""
        for side in ("upstream", "client"):
            for way in ("loseConnection", "abortConnection"):

                def play(scene: Any) -> None:
                    ours = scene.client if side == "client" else scene.origin.connections[-1]  # noqa: B023
                    getattr(ours, way)()  # noqa: B023
                    scene.envoy.settle()

                self.check(play)

    def test_unknownLength(self) -> None:
        """Answers that do not say how long they are."""

        def play(scene: Any) -> None:
            for count in range(9):
                scene.ask()
                body = b"hello" * (count // 4 + 1)
                scene.answer(b"".join(answerFrames(scene.streams()[-1], NO_LENGTH, body)))

        carried = self.both(play)[1]
        self.assertEqual(carried > 3, self.scene is not UpstreamScene)

    def test_windows(self) -> None:
        """The upstream's windows are opened again as they would be."""
        big = b"a" * 16000
        fields = (ANSWERED[0], (b"content-length", b"16000"), ANSWERED[2])
        options = {"initial_stream_window_size": 65535, "initial_connection_window_size": 65535}

        def play(scene: Any) -> None:
            for _ in range(30):
                scene.ask()
                scene.answer(b"".join(answerFrames(scene.streams()[-1], fields, big)))

        cluster = _withOptions(options)
        self.assertGreater(self.both(play, [PROXIED], None, cluster)[1], 0)

    def test_limits(self) -> None:
        """Connections take as many streams, at once and in all, as they may."""
        for settings in (
            {"common_http_protocol_options": {"max_requests_per_connection": 3}},
            {"http2": {"max_concurrent_streams": 1}},
        ):
            cluster = _withOptions(settings.get("http2", {}), settings)
            self.both(lambda scene: scene.warm(9), [PROXIED], None, cluster)

    def test_keepalive(self) -> None:
        """PINGs ask for signs of life, before requests that come after a pause, too."""
        often = {"timeout": "2s", "interval": "3s", "connection_idle_interval": "1s"}
        cluster = _withOptions({"connection_keepalive": often})

        def play(scene: Any) -> None:
            scene.warm(5)
            for pause in (0.5, 1.5, 4.5, 1.5):
                scene.envoy.advance(pause)
                scene.ask()
                for connection in scene.origin.connections:
                    connection.write(frame(6, 1, 0, connection.received[-8:]))
                scene.answer(OK)

        self.assertGreater(self.both(play, [PROXIED], None, cluster)[1], 3)

    def test_methods(self) -> None:
        """Requests of other methods, and of older clients."""
        heads = [head + GET[3:] for head in (b"POST", b"HEAD", b"DELETE", b"PATCH")]
        heads.append(GET.replace(b"1.1", b"1.0"))
        heads.append(GET.replace(b"1.1\r\n", b"1.0\r\nconnection: keep-alive\r\n"))
        for head in heads:

            def play(scene: Any) -> None:
                for _ in range(6):
                    scene.ask(head)  # noqa: B023
                    scene.answer(OK)

            self.both(play, http_protocol_options={"accept_http_10": True})

    def test_peerSettings(self) -> None:
        """The peer changes its mind about tables and streams."""

        def play(scene: Any) -> None:
            for change in (setting(1, 0), setting(3, 1), setting(1, 100), setting(5, 20000)):
                scene.warm(5)
                scene.answer(change)
            scene.warm(5)

        self.assertGreater(self.both(play)[1], 12)

    def test_breaker(self) -> None:
        """One request too many is refused, as ever."""
        cluster = {
            **HTTP2_CLUSTER,
            "circuit_breakers": {"thresholds": [{"max_requests": 1}]},
        }

        def play(scene: Any) -> None:
            scene.warm()
            other = scene.envoy.connect("web")
            other.write(GET)
            scene.envoy.settle()
            scene.ask()
            scene.answer(OK)
            scene.ask()

        self.both(play, [PROXIED], None, cluster)

    def test_scripts(self) -> None:
        """Anything, in any order."""
        carried = became = 0
        for seed in range(self.scripts):
            _, more, others = self.both(lambda scene: Script(scene, seed).play())  # noqa: B023
            carried += more
            became += others
        self.assertGreater(carried, self.scripts * 2)
        self.assertGreater(became, self.scripts)


class HTTP2ClientTests(HTTP1ClientTests):
    """The same for a client of HTTP/2."""

    scene = HTTP2BothScene

    def test_clientResets(self) -> None:
        """The client resets its stream."""

        def play(scene: Any) -> None:
            scene.client.write(rst(scene.number))
            scene.envoy.settle()
            scene.warm(3)

        self.check(play)

    def test_together(self) -> None:
        """Answers of many streams come in one piece: all headers first, or each whole."""

        def play(scene: Any) -> None:
            scene.warm()
            for isWhole in (True, False, True):
                for _ in range(5):
                    scene.ask()
                answers = [answerFrames(stream) for stream in scene.streams()[-5:]]
                if isWhole:
                    scene.answer(b"".join(head + body for head, body in answers))
                else:
                    heads, bodies = zip(*answers, strict=True)
                    scene.answer(b"".join(heads + bodies[::-1]))

        self.assertGreater(self.both(play)[1], 15)


class LoggedTests(HTTP1ClientTests):
    """The same with access logs of everything."""

    logs = logs()
    step = 9
    scripts = 6


class LoggedHTTP2Tests(HTTP2ClientTests):
    """The same with access logs of everything."""

    logs = logs()
    step = 9
    scripts = 6


class Script:
    """What a client and an upstream do, by chance."""

    def __init__(self, scene: Any, seed: int) -> None:
        self.scene = scene
        self.chance = Random(seed)
        self.done: set[tuple[int, int]] = set()

    def play(self) -> None:
        """All of it."""
        self.scene.warm(self.chance.randrange(5))
        for _ in range(40):
            if self.chance.random() < 0.9:
                self.usual()
            else:
                self.unusual()
        self.scene.envoy.advance(20)

    def open(self) -> list[tuple[int, int]]:
        """Connections and streams that wait for an answer, as far as the upstream knows."""
        scene = self.scene
        return [
            (index, stream)
            for index, connection in enumerate(scene.origin.connections)
            if not connection.ended
            for stream in scene.streams(index)
            if (index, stream) not in self.done
        ]

    def usual(self) -> None:
        """Ask, wait, answer."""
        chance, scene = self.chance, self.scene
        kind = chance.randrange(8)
        if kind < 4 and not (scene.client.ended or scene.client.connected is False):
            scene.ask()
        elif kind == 4:
            scene.envoy.advance(chance.choice((0.001, 0.3, 1.1)))
        found = self.open()
        if not found or chance.random() < 0.3:
            return
        index = found[-1][0]
        chosen = [one for one in found if one[0] == index][: chance.randrange(1, 5)]
        self.done.update(chosen)
        fields = chance.choice((ANSWERED, ANSWERED, ANSWERED, LATER, NO_LENGTH))
        body = b"%05d" % chance.randrange(3)
        answers = [answerFrames(stream, fields, body) for _, stream in chosen]
        if chance.random() < 0.5:
            said = b"".join(head + body for head, body in answers)
        else:
            heads, bodies = zip(*answers, strict=True)
            said = b"".join(heads + bodies)
        cut = chance.randrange(len(said)) if chance.random() < 0.2 else len(said)
        for piece in (said[:cut], said[cut:]):
            scene.origin.connections[index].write(piece)
            scene.envoy.settle()
        scene.greet()

    def unusual(self) -> None:
        """Whatever else an upstream says."""
        chance, scene = self.chance, self.scene
        found = self.open()
        if not found:
            return
        index, stream = found[chance.randrange(len(found))]
        connection = scene.origin.connections[index]
        kind = chance.randrange(9)
        head = answerFrames(stream)[0]
        said = (
            rst(stream, chance.choice((0, 2, 7, 8))),
            head + rst(stream),
            goAway(chance.choice((0, stream, 2**31 - 1))),
            setting(3, chance.choice((1, 2, 100))),
            setting(1, chance.choice((0, 4096))) + PING,
            head + headersFrame(stream, ((b"a", b"b"),), EH | ES),
            headersFrame(stream, ((b":status", b"503"), (b"content-length", b"0")), EH | ES),
            head + b"\0\0\1\6\0\0\0\0\0",
            b"",
        )[kind]
        if kind in (0, 1, 5, 6):
            self.done.add((index, stream))
        if said:
            connection.write(said)
        else:
            connection.loseConnection()
        scene.envoy.settle()
        scene.greet()


def _withOptions(http2: dict[str, Any], others: dict[str, Any] | None = None) -> dict[str, Any]:
    """HTTP2_CLUSTER with these options."""
    ((name, options),) = HTTP2_CLUSTER["typed_extension_protocol_options"].items()
    more = {key: value for key, value in (others or {}).items() if key != "http2"}
    explicit = {"explicit_http_config": {"http2_protocol_options": http2}}
    return {"typed_extension_protocol_options": {name: {**options, **more, **explicit}}}
