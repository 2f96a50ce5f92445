"""Two people, each with a code and a password typed into the page, remove a lock together."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from box_rig import Cameras
from page_rig import NAME, PAGE_PASSWORD, PagedBox, shown_code
from socket_visitor import Visitor
from vonggac.store import journal

SECOND, SECOND_PASSWORD = "Trần Thị Bình", "thuyền giấy trên sông Hương"
REVIEW = (datetime.now(UTC) + timedelta(days=30)).isoformat()


def credentials(box: PagedBox, name: str, password: str) -> tuple[str, str]:
    path = box.home / "person"
    path.write_text(f"{name}\n{password}\n")
    return "--credentials-file", str(path)


def test_a_second_person_joins_at_the_page_and_a_lock_is_removed_by_the_two(tmp_path: Path) -> None:
    cameras = Cameras(1)
    box = PagedBox(tmp_path / "home", "512M")
    try:
        box.add(cameras, "cam1")
        with box.running("run"):
            box.until_durable(1.0)
            first = Visitor(box)
            code = shown_code(box.home, "person", "add", SECOND, "--role", "detective")
            first.sign_out()
            form = {"name": SECOND, "password": SECOND_PASSWORD, "again": SECOND_PASSWORD}
            assert first.post_form("/join", code=code, **form)[0] == 303
            assert first.post_form("/join", code=code, **form)[0] == 422, "a code works once"
            assert first.ask("GET", "/cameras")[0] == 200
            remove_by_two(box)
    finally:
        cameras.stop()
        box.discard()


def remove_by_two(box: PagedBox) -> None:
    one = credentials(box, NAME, PAGE_PASSWORD)
    why = ("--case", "2026/17", "--officer", "An", "--reason", "trộm", "--review", REVIEW)
    box.run("lock", "add", "cam1", "--from", "-1m", "--to", "now", *why)
    box.run("lock", "remove", "1", "--reason", "vụ án đã đóng", *one)
    assert "whoever asked cannot confirm" in box.run("lock", "confirm", "1", *one, status=1)
    other = credentials(box, SECOND, SECOND_PASSWORD)
    box.run("lock", "confirm", "1", *other)
    assert not journal.newest((box.disk / "journal").read_bytes()).locks
    (lock,) = json.loads(box.run("lock", "list", "--all", "--json"))["locks"]
    assert lock["state"] == "removed"
    ids = {
        line["object"]: line["actor"]
        for line in box.audit_lines()
        if line["action"] == "person add"
    }
    assert (lock["asked_by"], lock["confirmed_by"]) == (ids[NAME], ids[SECOND])
