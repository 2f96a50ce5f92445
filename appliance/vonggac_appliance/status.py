"""What `status` on the control socket says, from what the recorder holds."""

from __future__ import annotations

import time

from msgspec import structs

from vonggac.ingest.states import State, of_camera
from vonggac.media.chunk import Codec
from vonggac_appliance import bus_control
from vonggac_appliance.camera_session import StreamSession
from vonggac_appliance.camera_sound import sound_status
from vonggac_appliance.learnt_store import row_of, told
from vonggac_appliance.messages_push import PushCounts
from vonggac_appliance.recorder import Recorder
from vonggac_appliance.recorder_push import Pushes

_CODECS = {Codec.H264: "h264", Codec.H265: "h265", Codec.MJPEG: "mjpeg"}


def status_of(recorder: Recorder) -> bus_control.StatusReply:
    """Everything at once."""
    cameras = []
    for camera in sorted(recorder.cameras.values(), key=lambda c: c.code):
        sessions = [recorder.sessions[s.id] for s in camera.streams if s.id in recorder.sessions]
        worst = of_camera([s.state for s in sessions])
        spokesman = next((s for s in sessions if s.state is worst), None)
        cameras.append(
            bus_control.CameraStatus(
                id=camera.code,
                state=worst,
                streams=[_stream(s, recorder.pushes) for s in sessions],
                gap_reason=None if spokesman is None else spokesman.gap_reason,
                what="" if spokesman is None else spokesman.what,
                learnt=told(row_of(recorder.learnt.of(camera.id))),
            )
        )
    disks = [
        bus_control.DiskStatus(
            k.uuid,
            k.path,
            k.state,
            k.what,
            0.0 if k.last_durable is None else k.last_durable.tick_ms,
            "draining" if k.is_draining else "recording",
            recorder.disks.streams.count(k),
            k.disk.hex(),
            recorder.scrubs.status(k.uuid),
        )
        for k in recorder.disks.present
    ]
    loops = [(loop.number, loop.pid) for loop in recorder.loops]
    return bus_control.StatusReply(
        cameras,
        disks,
        loops,
        time.time_ns(),
        alarms_open=recorder.alarms.open_count,
        push=_push(recorder.pushes.counts) if recorder.pushes.is_on else None,
        certificates=dict(recorder.certificates.ends_ns),
    )


def _push(counts: PushCounts | None) -> bus_control.PushStatus:
    if counts is None:
        return bus_control.PushStatus(is_open=False)
    refused = {
        "tls": counts.tls_failed,
        "time": counts.timed_out,
        "words": counts.malformed,
        "key": counts.wrong_key,
        "rule": counts.not_allowed,
        "crowd": counts.crowded_out,
    }
    return bus_control.PushStatus(True, counts.publishing, counts.calls, refused)


def _stream(session: StreamSession, pushes: Pushes) -> bus_control.StreamStatus:
    is_recording = session.state is State.RECORDING
    stats = session.stats
    known = bus_control.StreamStatus(
        name=session.stream.name,
        state=session.state,
        codec=None if session.play is None else _CODECS.get(session.play.codec),
        width=session.width,
        height=session.height,
        gap_reason=session.gap_reason,
        gap_start_ns=None
        if is_recording or session.progress.gap is None
        else session.progress.gap.start_ns,
        run=session.progress.run,
        durable_until_ns=session.progress.durable_until_ns,
        recorded_ns=session.progress.recorded_ns,
        flood=session.is_flooding,
        publisher=pushes.publishers.get(session.stream.id),
        sound=sound_status(session.camera, session.play, stats, session.recording_s())
        if is_recording
        else None,
    )
    if stats is None:
        return known
    return structs.replace(
        known,
        bytes=stats.bytes,
        samples=stats.access_units,
        sync_samples=stats.sync_samples,
        packets=stats.packets,
        packets_lost=stats.packets_lost,
        damaged=stats.damaged,
        dropped=stats.dropped,
        keyframe_interval_ms=stats.keyframe_interval_ms,
        last_sample_age_ms=stats.last_access_unit_age_ms,
        counted_ns=session.stats_ns,
    )
