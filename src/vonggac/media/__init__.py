"""What a stream is made of, as values: chunks, rows, gaps. Pure."""
