"""A camera that calls, by GStreamer: a test picture and a tone by rtspclientsink, until SIGTERM.

    /usr/bin/python3 gstpublisher.py URL USER KEY-FILE

Run by the system's Python, where gi is; it imports nothing of ours.
"""

import pathlib
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402 - versions come first


def main():
    url, user, key_file = sys.argv[1:]
    Gst.init(None)
    pipeline = Gst.parse_launch(
        "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=10/1"
        " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 bitrate=200"
        " ! h264parse config-interval=-1"
        " ! rtspclientsink name=sink protocols=tcp tls-validation-flags=0"
        " audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc ! sink."
    )
    sink = pipeline.get_by_name("sink")
    sink.set_property("location", url)
    sink.set_property("user-id", user)
    sink.set_property("user-pw", pathlib.Path(key_file).read_text().strip())
    loop = GLib.MainLoop()
    failed = []

    def heard(_bus, message):
        if message.type == Gst.MessageType.ERROR:
            failed.append(message.parse_error())
            loop.quit()

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", heard)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    if failed:
        sys.exit(str(failed[0]))


main()
