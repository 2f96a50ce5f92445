"""RTSP without I/O: messages, authentication, SDP, and both ends of a session."""
