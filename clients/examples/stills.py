"""Saves a still at each episode of motion: python stills.py ADDRESS BOX_KEY KEYFILE FOLDER"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from vonggac_hook import Hook

folder = Path(sys.argv[4])
with Hook(*sys.argv[1:4]) as hook:
    for told in hook.messages("motion"):
        if told["type"] == "grant":
            print("cameras:", ", ".join(told["cameras"]), flush=True)
        elif told["type"] == "motion" and not told["is_over"]:
            hook.ask_picture(told["camera"], told["strongest_ns"])
        elif told["type"] == "picture":
            name = f"{told['camera']}-{told['at_ns'] // 1_000_000_000}.mp4"
            (folder / name).write_bytes(told["mp4"])
            print(name, flush=True)
        elif told["type"] == "refused":
            print(told["what"], flush=True)
