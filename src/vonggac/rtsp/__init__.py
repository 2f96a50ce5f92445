"""RTSP 1.0 (RFC 2326) without sockets, clocks or threads: messages, logging in, SDP, sessions."""
