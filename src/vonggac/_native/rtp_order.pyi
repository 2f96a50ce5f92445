"""The order of RTP packets that came as datagrams (rtp_order.h)."""

class RtpOrder:
    """Of one source; whoever uses it keeps the packets."""

    def push(self, sequence: int, now_ns: int) -> str:
        """Where a packet belongs: `next`, `hold`, `duplicate`, `late`, `odd`; `full`: pull with
        `must`, then push it again."""
    def pull(self, now_ns: int, must: bool = False) -> int | None:
        """The sequence number of a packet that waits no longer; None: there is none."""
