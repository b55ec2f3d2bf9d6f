from twisted_envoy.errors import ConfigError


def readYAML(text):
    raise ConfigError("", "yaml-cpp: ?", text.start)
