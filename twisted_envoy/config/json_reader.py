from twisted_envoy.config.load import Text


def readJSON(text):
    raise NotImplementedError
