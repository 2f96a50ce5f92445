"""HTTP and nothing else: a view parses, calls one function of one service, renders."""
