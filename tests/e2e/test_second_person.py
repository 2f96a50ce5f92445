"""Two people, each with a code and a password typed into the page, remove a lock together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from footage_maker import make_home
from page_rig import NAME, PAGE_PASSWORD, PagedBox, shown_code
from socket_visitor import Visitor
from vonggac.registry.catalog import Catalog
from vonggac.store import journal

SECOND, SECOND_PASSWORD = "Trần Thị Bình", "thuyền giấy trên sông Hương"
REVIEW = (datetime.now(UTC) + timedelta(days=30)).isoformat()


def credentials(box: PagedBox, name: str, password: str) -> tuple[str, str]:
    path = box.home / "person"
    path.write_text(f"{name}\n{password}\n")
    return "--credentials-file", str(path)


def test_a_second_person_joins_at_the_page_and_a_lock_is_removed_by_the_two(tmp_path: Path) -> None:
    box = PagedBox(tmp_path / "home", "256M")
    make_home(box.home)  # a camera that nobody reaches: its time is locked all the same
    try:
        with box.running("run"):
            first = Visitor(box)
            code = shown_code(box.home, "person", "add", SECOND, "--role", "detective")
            first.sign_out()
            form = {"name": SECOND, "password": SECOND_PASSWORD, "again": SECOND_PASSWORD}
            assert first.post_form("/join", code=code, **form)[0] == 303
            assert first.post_form("/join", code=code, **form)[0] == 422, "a code works once"
            assert first.ask("GET", "/cameras")[0] == 200
            remove_by_two(box)
    finally:
        box.discard()


def remove_by_two(box: PagedBox) -> None:
    why = ("--case", "2026/17", "--officer", "An", "--reason", "trộm", "--review", REVIEW)
    box.run("lock", "add", "cam1", "--from", "-1m", "--to", "now", *why)
    assert journal.newest((box.disk / "journal").read_bytes()).locks
    one = credentials(box, NAME, PAGE_PASSWORD)
    box.run("lock", "remove", "1", "--reason", "vụ án đã đóng", *one)
    other = credentials(box, SECOND, SECOND_PASSWORD)
    box.run("lock", "confirm", "1", *other)
    assert not journal.newest((box.disk / "journal").read_bytes()).locks
    with Catalog(box.home, is_readonly=True) as catalog:
        (lock,) = catalog.locks()
        ids = {account.name: account.id.hex() for account in catalog.people()}
    assert lock.unlock is not None and not lock.is_held
    assert (lock.unlock.asked_by, lock.unlock.confirmed_by) == (ids[NAME], ids[SECOND])
