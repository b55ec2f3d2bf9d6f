"""message Knock { string word = 1; uint32 patience = 2; }"""

from functools import partial

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from zope.interface import implementer

from envoy_knock.filter import Knock
from twisted_envoy.interfaces.network import INetworkFilterFactory


def knockMessage():
    """What `protoc` would make of knock.proto."""
    file = FileDescriptorProto(
        name="example/knock/v1/knock.proto", package="example.knock.v1", syntax="proto3"
    )
    message = file.message_type.add(name="Knock")
    for number, (name, kind) in enumerate(
        [
            ("word", FieldDescriptorProto.TYPE_STRING),
            ("patience", FieldDescriptorProto.TYPE_UINT32),
        ],
        start=1,
    ):
        message.field.add(
            name=name, number=number, type=kind, label=FieldDescriptorProto.LABEL_OPTIONAL
        )
    return file


@implementer(INetworkFilterFactory)
class KnockFactory:
    """Reads the config once; makes one Knock for each connection."""

    typeURL = "example.knock.v1.Knock"
    category = "filters.network"
    terminal = False
    descriptors = (knockMessage().SerializeToString(),)

    def build(self, config, context):
        word = config.word.encode()
        if not word:
            raise config.error("a secret word must have at least one character", "word")
        wrong = context.scope.counter("knock.wrong")
        return partial(Knock, word, config.patience, wrong, context.reactor)
