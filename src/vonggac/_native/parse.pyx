"""Binds rtp.h, rtcp.h, rtsp_frame.h, jpeg.h, and of nal.h the parameter sets: one call each.

For tests and for pure code; the ingest loop calls the same C without Python.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from vonggac._native.cvg cimport (
    VG_MORE, VG_OK, VG_RTCP_BYE, VG_RTCP_OTHER, VG_RTCP_RR_SIZE, VG_RTCP_SR, VG_RTSP_BODY_MAX,
    VG_RTSP_GARBAGE, VG_RTSP_HEADER_MAX, VG_RTSP_MESSAGE, VG_RTSP_PACKET, VG_RTSP_RESYNC_MAX,
    vg_err, vg_fault, vg_h264_sps_parse, vg_h265_sps_parse, vg_jpeg_size, vg_rtcp_item,
    vg_rtcp_next, vg_rtcp_report, vg_rtcp_write_rr, vg_rtp_parse, vg_rtsp_item, vg_rtsp_next,
    vg_rtsp_splitter, vg_sps,
)
from vonggac._native.fault cimport raise_fault, start_of

from vonggac.errors import MediaError

RTCP_OTHER = VG_RTCP_OTHER
RTCP_SR = VG_RTCP_SR
RTCP_BYE = VG_RTCP_BYE
RTSP_PACKET = VG_RTSP_PACKET
RTSP_MESSAGE = VG_RTSP_MESSAGE
RTSP_GARBAGE = VG_RTSP_GARBAGE
RTSP_HEADER_BYTES_MAX = VG_RTSP_HEADER_MAX
RTSP_BODY_BYTES_MAX = VG_RTSP_BODY_MAX
RTSP_RESYNC_BYTES_MAX = VG_RTSP_RESYNC_MAX


cdef class RtpPacket:
    """A packet, and the datagram that it points into.

    The view keeps the datagram's buffer exported, so that the owner can neither free nor resize it
    while a packet, or a payload taken from one, is alive.
    """

    def __init__(self, const uint8_t[::1] datagram not None):
        cdef vg_fault fault
        cdef vg_err err = vg_rtp_parse(start_of(datagram), datagram.shape[0], &self._c, &fault)
        if err != VG_OK:
            raise_fault(err, &fault)
        self._datagram = datagram

    @property
    def marker(self):
        return bool(self._c.marker)

    @property
    def payload_type(self):
        return self._c.payload_type

    @property
    def sequence(self):
        return self._c.sequence

    @property
    def timestamp(self):
        return self._c.timestamp

    @property
    def ssrc(self):
        return self._c.ssrc

    @property
    def payload(self):
        cdef Py_ssize_t start = self._c.payload - start_of(self._datagram)
        return memoryview(self._datagram)[start:start + <Py_ssize_t>self._c.payload_size]


def rtp_parse(const uint8_t[::1] datagram not None):
    return RtpPacket(datagram)


cdef class RtcpItem:
    cdef readonly int kind
    cdef readonly uint32_t ssrc
    cdef readonly uint64_t ntp
    cdef readonly uint32_t rtp_timestamp


def rtcp_items(const uint8_t[::1] compound not None):
    cdef vg_rtcp_item c
    cdef vg_fault fault
    cdef vg_err err
    cdef size_t offset = 0
    cdef RtcpItem item
    items = []
    while True:
        err = vg_rtcp_next(start_of(compound), compound.shape[0], &offset, &c, &fault)
        if err == VG_MORE:
            return items, None
        if err != VG_OK:
            try:
                raise_fault(err, &fault)
            except MediaError as error:
                return items, error
        item = RtcpItem.__new__(RtcpItem)
        item.kind = c.kind
        item.ssrc = c.ssrc
        item.ntp = c.ntp
        item.rtp_timestamp = c.rtp_timestamp
        items.append(item)


def rtcp_receiver_report(uint32_t own_ssrc, uint32_t ssrc, *, uint8_t fraction_lost=0,
                         uint32_t lost=0, uint32_t highest_sequence=0, uint32_t jitter=0,
                         uint32_t last_sr=0, uint32_t delay_sr=0):
    cdef vg_rtcp_report report
    cdef uint8_t out[VG_RTCP_RR_SIZE]
    report.ssrc = ssrc
    report.fraction_lost = fraction_lost
    report.lost = lost
    report.highest_sequence = highest_sequence
    report.jitter = jitter
    report.last_sr = last_sr
    report.delay_sr = delay_sr
    vg_rtcp_write_rr(out, own_ssrc, &report)
    return bytes(out[:VG_RTCP_RR_SIZE])


cdef class RtspItem:
    cdef readonly int kind
    cdef readonly int channel
    cdef readonly bytes content
    cdef readonly size_t consumed_bytes


cdef class RtspSplitter:
    """Owns only counters; the bytes stay with the caller."""

    cdef vg_rtsp_splitter _c

    def __init__(self, channels=()):
        for channel in channels:
            self.agree(channel)

    def agree(self, uint8_t channel):
        self._c.channels[channel // 64] |= (<uint64_t>1) << (channel % 64)

    @property
    def skipped_bytes(self):
        return self._c.skipped

    def next(self, const uint8_t[::1] received not None):
        cdef vg_rtsp_item c
        cdef vg_fault fault
        cdef RtspItem item
        cdef vg_err err = vg_rtsp_next(&self._c, start_of(received), received.shape[0], &c, &fault)
        if err == VG_MORE:
            return None
        if err != VG_OK:
            raise_fault(err, &fault)
        item = RtspItem.__new__(RtspItem)
        item.kind = c.kind
        item.channel = c.channel if c.kind == VG_RTSP_PACKET else -1
        item.content = c.bytes[:c.size]
        item.consumed_bytes = c.consumed
        return item


cdef class Sps:
    """A sequence parameter set, read; the fields are those of vg_sps."""

    cdef vg_sps _c

    @property
    def width(self):
        return self._c.width

    @property
    def height(self):
        return self._c.height

    @property
    def profile(self):
        return self._c.profile

    @property
    def compatibility(self):
        return self._c.compatibility

    @property
    def level(self):
        return self._c.level

    @property
    def tier_profile(self):
        return bytes(self._c.tier_profile[:12])

    @property
    def chroma_format(self):
        return self._c.chroma_format

    @property
    def bit_depth_luma(self):
        return self._c.bit_depth_luma

    @property
    def bit_depth_chroma(self):
        return self._c.bit_depth_chroma

    @property
    def temporal_layers(self):
        return self._c.temporal_layers

    @property
    def temporal_nested(self):
        return bool(self._c.temporal_nested)

    @property
    def interlaced(self):
        return bool(self._c.interlaced)

    @property
    def reorder_depth(self):
        return self._c.reorder_depth

    @property
    def id(self):
        return self._c.id


def h264_sps(const uint8_t[::1] nal not None):
    cdef Sps sps = Sps.__new__(Sps)
    cdef vg_fault fault
    cdef vg_err err = vg_h264_sps_parse(start_of(nal), nal.shape[0], &sps._c, &fault)
    if err != VG_OK:
        raise_fault(err, &fault)
    return sps


def h265_sps(const uint8_t[::1] nal not None):
    cdef Sps sps = Sps.__new__(Sps)
    cdef vg_fault fault
    cdef vg_err err = vg_h265_sps_parse(start_of(nal), nal.shape[0], &sps._c, &fault)
    if err != VG_OK:
        raise_fault(err, &fault)
    return sps


def jpeg_size(const uint8_t[::1] picture not None):
    cdef uint16_t width = 0
    cdef uint16_t height = 0
    cdef vg_fault fault
    cdef vg_err err = vg_jpeg_size(start_of(picture), picture.shape[0], &width, &height, &fault)
    if err != VG_OK:
        raise_fault(err, &fault)
    return width, height
