"""A file system of the tests' own: a folder that can be told to hang or to fail.

It speaks the kernel's FUSE protocol itself, as far as a keeper needs it, so that nothing has to be
installed; only root may mount it. `FuseDisk` starts it as a process, which is this file run alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import stat
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_IN = struct.Struct("<IIQQIIII")
_OUT = struct.Struct("<IiQ")
_ATTR = struct.Struct("<6Q10I")
_INIT = struct.Struct("<4I2H2I2H8I")
_WRITE = struct.Struct("<QQIIQII")
_FALLOCATE = struct.Struct("<QQQII")
_SETATTR = struct.Struct("<IIQQ")
_REQUEST_MAX = (1 << 20) + 4096
_BIG_WRITES, _MAX_PAGES = 1 << 5, 1 << 22
_SET_SIZE = 8
_FORGET, _BATCH_FORGET, _INTERRUPT, _DESTROY = 2, 42, 36, 38
_WRITE_CODE, _FALLOCATE_CODE = 16, 43
_MS_NOSUID, _MS_NODEV, _MNT_DETACH = 2, 4, 2

_libc = ctypes.CDLL(None, use_errno=True)


class FuseDisk:
    """A folder behind FUSE. `close` makes everybody who waits for it go on with an error."""

    def __init__(self, backing: Path, mounted: Path) -> None:
        self.mounted = mounted
        self.process = subprocess.Popen(
            [sys.executable, __file__, backing, mounted],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline().strip()
        if said != "mounted":
            self.process.communicate()
            pytest.skip(f"this machine lets nobody mount FUSE: {said}")

    def tell(self, order: str) -> None:
        """hang, go, `fail ERRNO`; it holds when this returns."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == "done"

    def pull(self) -> None:
        """As if the disk were torn out: whatever is asked of it fails from now on."""
        self.process.kill()
        self.process.communicate()

    def close(self) -> None:
        self.pull()
        _libc.umount2(bytes(self.mounted), _MNT_DETACH)


@contextlib.contextmanager
def fuse_disk(backing: Path, mounted: Path) -> Iterator[FuseDisk]:
    """Mounted for a block."""
    if os.geteuid() != 0 or not Path("/dev/fuse").exists():
        pytest.skip("a file system of our own needs root and /dev/fuse")
    disk = FuseDisk(backing, mounted)
    try:
        yield disk
    finally:
        disk.close()


class _Server:
    """Everything is passed on to the folder below, unless an order says otherwise."""

    def __init__(self, backing: str, fuse: int) -> None:
        self._fuse = fuse
        self._paths = {1: backing}
        self._ids = {backing: 1}
        self._held: list[bytes] | None = None
        self._errno = 0
        self._codes: dict[int, Callable[[int, bytes], bytes]] = {
            1: self._lookup,
            3: lambda node, _: struct.pack("<QII", 0, 0, 0) + self._attr(self._paths[node]),
            4: self._setattr,
            14: self._open,
            15: self._read,
            _WRITE_CODE: self._write,
            17: self._statfs,
            18: self._release,
            20: lambda _, body: self._fsync(body),
            25: lambda *_: b"",
            26: self._init,
            27: lambda *_: struct.pack("<QII", 0, 0, 0),
            28: self._readdir,
            29: lambda *_: b"",
            34: lambda *_: b"",
            _FALLOCATE_CODE: self._fallocate,
            46: self._seek,
        }

    def run(self) -> None:
        while True:
            ready, _, _ = select.select([self._fuse, sys.stdin], [], [])
            if sys.stdin in ready:
                order = sys.stdin.readline().split()
                if not order:
                    return
                self._obey(order)
            if self._fuse in ready:
                request = os.read(self._fuse, _REQUEST_MAX)
                if self._held is None:
                    self._serve(request)
                else:
                    self._held.append(request)  # taken, and never answered: not even SIGKILL helps

    def _obey(self, order: list[str]) -> None:
        if order[0] == "hang":
            self._held = []
        elif order[0] == "go":
            held, self._held = self._held or [], None
            self._errno = 0
            for request in held:
                self._serve(request)
        elif order[0] == "fail":
            self._errno = int(order[1])
        print("done", flush=True)

    def _serve(self, request: bytes) -> None:
        _, code, unique, node, *_ = _IN.unpack_from(request)
        if code in (_FORGET, _BATCH_FORGET, _INTERRUPT, _DESTROY):
            return
        error, body = 0, b""
        try:
            if self._errno and code in (_WRITE_CODE, _FALLOCATE_CODE):
                raise OSError(self._errno, "as ordered")
            handle = self._codes.get(code)
            if handle is None:
                raise OSError(errno.ENOSYS, "not here")
            body = handle(node, request[_IN.size :])
        except OSError as failure:
            error = failure.errno or errno.EIO
        answer = _OUT.pack(_OUT.size + len(body), -error, unique) + body
        with contextlib.suppress(FileNotFoundError):  # who asked has been interrupted
            os.write(self._fuse, answer)

    def _init(self, _node: int, body: bytes) -> bytes:
        _, minor, readahead, flags = struct.unpack_from("<4I", body)
        wanted = flags & (_BIG_WRITES | _MAX_PAGES)
        sizes = (16, 12, 1 << 20, 1, 256, 0)
        return _INIT.pack(7, min(minor, 31), readahead, wanted, *sizes, *[0] * 8)

    def _attr(self, path: str) -> bytes:
        s = os.lstat(path)
        times = (int(s.st_atime), int(s.st_mtime), int(s.st_ctime))
        return _ATTR.pack(
            s.st_ino, s.st_size, s.st_blocks, *times, 0, 0, 0,
            s.st_mode, s.st_nlink, s.st_uid, s.st_gid, s.st_rdev, s.st_blksize, 0,
        )  # fmt: skip

    def _lookup(self, node: int, body: bytes) -> bytes:
        path = os.path.join(self._paths[node], os.fsdecode(body.rstrip(b"\0")))
        attr = self._attr(path)
        number = self._ids.setdefault(path, len(self._ids) + 1)
        self._paths[number] = path
        return struct.pack("<QQQQII", number, 0, 3600, 0, 0, 0) + attr

    def _setattr(self, node: int, body: bytes) -> bytes:
        valid, _, _, size = _SETATTR.unpack_from(body)
        if valid & _SET_SIZE:
            os.truncate(self._paths[node], size)
        return struct.pack("<QII", 0, 0, 0) + self._attr(self._paths[node])

    def _open(self, node: int, body: bytes) -> bytes:
        (flags,) = struct.unpack_from("<I", body)
        if self._errno == errno.EROFS and flags & os.O_ACCMODE != os.O_RDONLY:
            raise OSError(errno.EROFS, "as ordered")
        access = flags & os.O_ACCMODE
        return struct.pack("<QII", os.open(self._paths[node], access | os.O_CLOEXEC), 0, 0)

    def _release(self, _node: int, body: bytes) -> bytes:
        os.close(struct.unpack_from("<Q", body)[0])
        return b""

    def _read(self, _node: int, body: bytes) -> bytes:
        fd, offset, size = struct.unpack_from("<QQI", body)
        return os.pread(fd, size, offset)

    def _write(self, _node: int, body: bytes) -> bytes:
        fd, offset, size, *_ = _WRITE.unpack_from(body)
        done = os.pwrite(fd, memoryview(body)[_WRITE.size : _WRITE.size + size], offset)
        return struct.pack("<II", done, 0)

    def _fsync(self, body: bytes) -> bytes:
        os.fsync(struct.unpack_from("<Q", body)[0])
        return b""

    def _fallocate(self, _node: int, body: bytes) -> bytes:
        fd, offset, length, mode, _ = _FALLOCATE.unpack_from(body)
        arguments = (ctypes.c_int(fd), ctypes.c_int(mode))
        if _libc.fallocate(*arguments, ctypes.c_long(offset), ctypes.c_long(length)):
            raise OSError(ctypes.get_errno(), "fallocate")
        return b""

    def _seek(self, _node: int, body: bytes) -> bytes:
        fd, offset, whence = struct.unpack_from("<QQI", body)
        return struct.pack("<Q", os.lseek(fd, offset, whence))

    def _statfs(self, _node: int, _body: bytes) -> bytes:
        s = os.statvfs(self._paths[1])
        counts = (s.f_blocks, s.f_bfree, s.f_bavail, s.f_files, s.f_ffree)
        return struct.pack("<5Q4I6I", *counts, s.f_bsize, 255, s.f_frsize, 0, *[0] * 6)

    def _readdir(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        names = [".", "..", *sorted(os.listdir(self._paths[node]))]
        found = b""
        for number, name in enumerate(names[offset:], offset + 1):
            raw = os.fsencode(name)
            mode = os.lstat(os.path.join(self._paths[node], name)).st_mode
            entry = struct.pack("<QQII", number, number, len(raw), stat.S_IFMT(mode) >> 12) + raw
            entry += bytes(-len(entry) % 8)
            if len(found) + len(entry) > size:
                break
            found += entry
        return found


def _main(backing: str, mounted: str) -> None:
    fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other,max_read=1048576"
    words = (b"vonggac-test", os.fsencode(mounted), b"fuse")
    if _libc.mount(*words, _MS_NOSUID | _MS_NODEV, options.encode()):
        print(os.strerror(ctypes.get_errno()), flush=True)
        return
    print("mounted", flush=True)
    _Server(backing, fuse).run()


if __name__ == "__main__":
    _main(*sys.argv[1:])
