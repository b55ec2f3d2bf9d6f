"""`twistd envoy`. Nothing of twisted_envoy is imported before the command is used."""

from twisted.application.service import ServiceMaker

twistedEnvoy = ServiceMaker(  # type: ignore[no-untyped-call]
    "twisted_envoy", "twisted_envoy.server.tap", "Envoy inside Twisted.", "envoy"
)
