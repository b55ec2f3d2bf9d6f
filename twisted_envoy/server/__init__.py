"""The program around the proxy: command line, log, life cycle, admin pages."""
