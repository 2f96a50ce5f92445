"""Writes a line for each episode of motion: python episodes.py ADDRESS BOX_KEY KEYFILE"""

import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from vonggac_hook import Hook

with Hook(*sys.argv[1:4]) as hook:
    for told in hook.messages("motion"):
        if told["type"] == "grant":
            print("cameras:", ", ".join(told["cameras"]), flush=True)
        elif told["is_over"]:
            begin = datetime.fromtimestamp(told["from_ns"] / 1e9).astimezone()
            seconds = (told["to_ns"] - told["from_ns"]) / 1e9
            print(f"{told['camera']}: {begin:%H:%M:%S}, {seconds:g} s", flush=True)
