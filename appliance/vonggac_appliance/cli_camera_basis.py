"""`vonggac camera add --basis-…`: the owner's agreement."""

from __future__ import annotations

import argparse

from vonggac.registry.camera import Basis, Mode, OwnerKind
from vonggac_appliance.cli_common import UsageError
from vonggac_appliance.clock import parse_time

__all__ = ["add_options", "agreement"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Put the options into the parser of `camera add`."""
    basis = parser.add_argument_group("the owner's agreement; a household camera needs one")
    basis.add_argument(
        "--basis-mode",
        choices=[mode.value for mode in Mode],
        help="A registry only, B extract on request, C recorded, D recorded and live",
    )
    basis.add_argument("--basis-from", metavar="TIME", help="when it begins (now)")
    basis.add_argument("--basis-until", metavar="TIME", help="when it ends (never)")
    basis.add_argument("--basis-audio", action="store_true", help="its sound is recorded too")
    basis.add_argument(
        "--basis-hooks", action="store_true", help="programs of others may be let in to it (mode D)"
    )
    basis.add_argument("--basis-document", default="", metavar="TEXT", help="number of the paper")
    basis.add_argument(
        "--basis-retention-days", type=int, metavar="N", help="nothing older is kept or shown"
    )


def agreement(args: argparse.Namespace, now_ns: int) -> Basis | None:
    """What the options say; None without any. Raises UsageError for what contradicts itself."""
    others = (args.basis_from, args.basis_until, args.basis_retention_days)
    if args.basis_mode is None:
        words = (args.basis_document, args.basis_audio, args.basis_hooks)
        if any(value is not None for value in others) or any(words):
            raise UsageError("an agreement needs --basis-mode")
        return None
    if args.basis_audio and args.owner_kind == OwnerKind.STATE:
        raise UsageError("no sound of a State-owned camera is recorded: it stands in public")
    if args.basis_hooks and args.basis_mode != Mode.RECORDED_AND_LIVE:
        raise UsageError("--basis-hooks needs --basis-mode D: a program is told what happens now")
    from_ns = now_ns if args.basis_from is None else parse_time(args.basis_from, now_ns)
    until_ns = None if args.basis_until is None else parse_time(args.basis_until, now_ns)
    if until_ns is not None and until_ns <= from_ns:
        raise UsageError("the agreement ends before it begins")
    if args.basis_retention_days is not None and args.basis_retention_days < 1:
        raise UsageError("--basis-retention-days is at least 1")
    return Basis(
        mode=Mode(args.basis_mode),
        from_ns=from_ns,
        until_ns=until_ns,
        retention_cap_days=args.basis_retention_days,
        audio=args.basis_audio,
        document=args.basis_document,
        hooks=args.basis_hooks,
    )
