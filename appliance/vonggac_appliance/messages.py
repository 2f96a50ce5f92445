"""Messages between Python processes on Unix SEQPACKET sockets: what kinds there are.

Every message starts with the 12-byte header of `vg/wire.h` (version, kind, request, part, last),
then a struct in MessagePack; parts of a long answer are joined before decoding. Kinds 1 to 199
belong to `vg/wire.h`, where loops take part; these start at 200. The structs stand where their
conversation is: `messages_keeper`, `messages_footage`, `messages_audit`, `messages_push`.
"""

from __future__ import annotations

import enum

import msgspec


class Kind(enum.IntEnum):
    """What a message is; the struct of the same name is its body."""

    # parent -> keeper
    LOOP = 200
    EXPECT = 201
    GAP_OPEN = 202
    QUIT = 203
    LOCKS = 204
    RETENTION = 205
    CLOCK_TOLD = 206
    TOMBSTONES_KEPT = 207
    UNLOCK = 208
    BACKUP = 212
    # the recorder -> `push run`, whom cameras call; with 200 for pictures comes a socket
    PUSH_TOLD = 213
    # keeper -> parent
    KEEPER_READY = 220
    DURABLE = 221
    SEALED = 222
    DISK_STATE = 223
    DRAINED = 224
    KEEPER_ALARM = 225
    RETENTION_TOLD = 226
    TOMBSTONES = 227
    SCRUBBED = 232
    LOCKS_DURABLE = 228
    WRITING = 230
    BACKUP_TOLD = 234
    # anyone -> keeper's index socket, and its answers
    ASK_ROWS = 240
    ROWS = 241
    ASK_RUNS = 242
    RUNS = 243
    ASK_LEASE = 244
    LEASE = 245
    RENEW = 246
    ASK_DISK = 247
    DISK = 248
    REFUSED = 249
    ASK_HEADS = 252
    HEADS = 253
    # anyone -> the parent's live socket; on success the loop answers, LIVE first
    ASK_LIVE = 250
    LIVE = 251
    # anyone who may look -> `audit run`, and its answer (REFUSED where it cannot write)
    AUDIT_APPEND = 260
    AUDIT_RECEIPT = 261
    # anyone of class audit -> `audit run`: how long the chain is
    ASK_CHAIN = 262
    CHAIN = 263
    # `record` -> `audit run`: a list for the ledger, and its answer (REFUSED where it cannot write)
    LEDGER_ENTRIES = 264
    LEDGER_WRITTEN = 265
    # `push run` -> the recorder: may this caller publish, he does now, and what it has counted
    ASK_PUSH = 270
    PUSH_RECORDS = 271
    PUSH_COUNTS = 214


class Refused(msgspec.Struct, frozen=True):
    """`code`: gone (segment reused), receipt, range, limit, malformed, stopping."""

    code: str
    what: str
