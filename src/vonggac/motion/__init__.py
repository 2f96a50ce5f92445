"""Where something moved in a stream, second by second: found, kept and searched."""
