"""The data plane's bindings: thin, one module a header, one converter of faults."""
