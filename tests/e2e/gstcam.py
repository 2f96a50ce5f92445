"""A camera by gst-rtsp-server: a clip of access units, looped without transcoding.

    /usr/bin/python3 gstcam.py [--user U --password-file F] [--port N] [--fps N] [--udp-only]
                               [--mtu N] PATH=FILE[+SOUND]...

FILE ends in .h264 or .h265; SOUND is aac, latm, opus, pcma or pcmu, a tone. Prints "ready PORT",
serves on 127.0.0.1 until SIGTERM. Run by the system's Python, where gi is; it imports nothing of
ours, so that the two have nothing in common.
"""

import argparse
import signal

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - versions come first


def demux(path):
    """Access units of an Annex B file, as (bytes, is_delta), and their caps; in stream order."""
    codec = "h265" if path.endswith("265") else "h264"
    caps = f"video/x-{codec},stream-format=byte-stream,alignment=au"
    pipeline = Gst.parse_launch(
        f'filesrc location="{path}" ! {codec}parse ! {caps} ! appsink name=out sync=false'
    )
    out = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    units, told = [], None
    while (sample := out.emit("try-pull-sample", 5 * Gst.SECOND)) is not None:
        buffer = sample.get_buffer()
        told = sample.get_caps().to_string()
        is_delta = buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
        units.append((buffer.extract_dup(0, buffer.get_size()), is_delta))
    pipeline.set_state(Gst.State.NULL)
    return codec, told, units


SOUNDS = {
    "aac": "audio/x-raw,rate=16000,channels=1 ! voaacenc ! aacparse ! rtpmp4gpay name=pay1 pt=97",
    "latm": "audio/x-raw,rate=16000,channels=1 ! voaacenc ! aacparse ! rtpmp4apay name=pay1 pt=97",
    "opus": "audio/x-raw,rate=48000,channels=1 ! opusenc ! rtpopuspay name=pay1 pt=98",
    "pcma": "audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay1 pt=8",
    "pcmu": "audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay1 pt=0",
}


class Loop(GstRtspServer.RTSPMediaFactory):
    """A media of one clip for ever, at a constant rate, its timestamps going on."""

    def __init__(self, path, fps, mtu, sound):
        super().__init__()
        self.sound = f" audiotestsrc is-live=true ! {SOUNDS[sound]}" if sound else ""
        self.codec, self.caps, self.units = demux(path)
        self.mtu = mtu
        self.frame_ns = round(Gst.SECOND / fps)
        self.set_shared(True)

    def do_create_element(self, url):
        return Gst.parse_launch(
            "( appsrc name=source format=time is-live=true block=false"
            f" ! {self.codec}parse"
            f" ! rtp{self.codec}pay name=pay0 pt=96 config-interval=-1 mtu={self.mtu}{self.sound} )"
        )

    def do_configure(self, media):
        media.set_protocols(self.get_protocols())
        source = media.get_element().get_by_name("source")
        source.set_property("caps", Gst.Caps.from_string(self.caps))
        state = {"number": 0}

        def feed(element, _length):
            data, is_delta = self.units[state["number"] % len(self.units)]
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts = buffer.dts = state["number"] * self.frame_ns
            buffer.duration = self.frame_ns
            if is_delta:
                buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
            state["number"] += 1
            element.emit("push-buffer", buffer)

        source.connect("need-data", feed)


def require_login(server, user, password):
    """Digest for everything."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.set_supported_methods(2)  # GST_RTSP_AUTH_DIGEST
    auth.add_digest(user, password, token)
    server.set_auth(auth)


def permissions():
    allowed = GstRtspServer.RTSPPermissions()
    for right in ("media.factory.access", "media.factory.construct"):
        allowed.add_permission_for_role("viewer", right, True)
    return allowed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", default="0")
    parser.add_argument("--user")
    parser.add_argument("--password-file")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--udp-only", action="store_true")
    parser.add_argument("--mtu", type=int, default=1400)
    parser.add_argument("streams", nargs="+", metavar="PATH=FILE[+SOUND]")
    options = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    if options.user:
        with open(options.password_file, encoding="utf-8") as file:
            require_login(server, options.user, file.readline().rstrip("\n"))
    for stream in options.streams:
        path, _, clip = stream.partition("=")
        file, _, sound = clip.partition("+")
        factory = Loop(file, options.fps, options.mtu, sound)
        if options.udp_only:
            factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
        if options.user:
            factory.set_permissions(permissions())
        server.get_mount_points().add_factory(path, factory)
    loop = GLib.MainLoop()
    if server.attach(None) == 0:
        raise SystemExit("gstcam: the port cannot be had")
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, loop.quit)
    print("ready", server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
