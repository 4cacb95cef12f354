"""The compiled mail host that everything is sent to, and what it counted."""

import json
import shutil
import smtplib
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def has_compiler() -> bool:
    return shutil.which("cc") is not None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def compiled(name: str, folder: Path) -> Path:
    program = folder / name
    subprocess.run(["cc", "-O2", "-o", program, HERE / f"{name}.c"], check=True)
    return program


class Sink:
    """Counts messages, distinct recipients and doubles. Its delay, in milliseconds, stands for a real relay's."""

    def __init__(self, folder: Path) -> None:
        self.port, self.blaster = free_port(), compiled("smtp_blast", folder)
        self.process = subprocess.Popen([compiled("smtp_sink", folder), str(self.port), "0"])
        time.sleep(0.3)

    def ask(self, verb: str) -> Any:
        with smtplib.SMTP("127.0.0.1", self.port) as connection:
            _, answer = connection.docmd(verb)
        return json.loads(answer) if verb == "XSTAT" else None

    def begin(self, delay: int = 0) -> float:
        """Counts from zero; returns the seconds of processor time it has used so far."""
        self.ask("XRESET")
        self.ask(f"XDELAY {delay}")
        return float(self.ask("XSTAT")["cpu"])

    def own_rate(self, messages: int, size: int, connections: int) -> int:
        """Messages of this size that it takes a second from a sender that does nothing else, in C like itself."""
        self.begin()
        began = time.perf_counter()
        subprocess.run([self.blaster, *map(str, (self.port, messages, connections, size))], check=True)
        seconds = time.perf_counter() - began
        assert self.ask("XSTAT")["msgs"] == messages
        return round(messages / seconds)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
