"""Child processes: started so that they die with us, restarted when they fall, ended in order.

Linux tells a child of its parent's death (`PR_SET_PDEATHSIG`), so a supervisor that is killed
outright leaves nothing behind. Every child leads a process group of its own: what a fallen child
had started is ended before the child is started again, and Ctrl-C on the terminal reaches the
supervisor alone, which then ends its children in their order.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from heating_platform import processes
from heating_platform.processes import Recorded

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1

LOG_LIMIT = 16 * 2**20  # bytes of one log; as much again of what came before
LOOK_AT_LOGS_S = 60.0
LONGEST_PAUSE_S = 4.0  # whatever falls is to be back within 10 s
STEADY_S = 20.0  # a child that lived this long has its pauses forgotten


def die_with(parent: int, number: int = signal.SIGKILL) -> None:
    """Have the kernel send signal *number* to this process when *parent* ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it ended before we had asked
        os._exit(1)


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path,
    aloud: bool = False,
    env: Mapping[str, str] | None = None,
    user: int | None = None,
    become: Callable[[], None] | None = None,
    farewell: int | None = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start *command* in its own session, its output appended to *log*.

    *aloud*, only its errors go there, and what it says goes where our own words go. *user* and
    *become* change who the child is before it runs. When we end without a word it gets the signal
    *farewell*; None lets it outlive us.
    """
    parent = os.getpid()

    def before_exec() -> None:
        if become is not None:
            become()
        if farewell is not None:
            die_with(parent, farewell)

    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=None if aloud else output,
            stderr=output,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            preexec_fn=before_exec,
        )


def end(process: subprocess.Popen[bytes], number: int | None, patience: float) -> None:
    """Send signal *number*, wait *patience* seconds, then kill what is left of the group."""
    if process.poll() is None:
        if number is not None:
            process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def keep_short(log: Path) -> None:
    """Begin a log anew that has grown past its limit; what it held stays beside it until the next
    time. Whoever writes to it appends, so nobody has to be told."""
    if log.stat().st_size > LOG_LIMIT:
        shutil.copyfile(log, log.with_suffix(".before"))
        os.truncate(log, 0)


@dataclass
class Child:
    """A process that is to be alive: how it starts, how it is asked to end."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    stop_signal: int = signal.SIGTERM
    patience: float = 10.0
    last: bool = False  # ended after the others, one by one
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause: float = 0.0
    falls: int = 0

    def run(self) -> None:
        self.process, self.started_at = self.start(), time.monotonic()

    def recorded(self) -> Recorded:
        pid = self.process.pid if self.process else None
        born = processes.birth(pid) if pid else None
        since = datetime.now(UTC).timestamp() - (time.monotonic() - self.started_at)
        started = datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds")
        return Recorded(pid, born, started, self.falls)

    def bury(self) -> int:
        """Clear away the fallen process, set the time of its return; answer how it ended."""
        assert self.process is not None
        code, now = self.process.returncode, time.monotonic()
        end(self.process, self.stop_signal, 0)
        self.process = None
        self.pause = 0.0 if now - self.started_at > STEADY_S else self.pause
        self.due_at = now + self.pause
        self.pause = min(self.pause * 2 or 0.5, LONGEST_PAUSE_S)
        self.falls += 1
        return code


@dataclass
class Supervisor:
    """Keeps *children* alive, in their order, and notes in the file *record* who they are.

    The logs in the directory *logs* are kept short.
    """

    say: Callable[[str], None]
    record: Path | None = None
    logs: Path | None = None
    logs_due: float = 0.0
    children: list[Child] = field(default_factory=list)

    def add(self, child: Child) -> None:
        self.children.append(child)
        child.run()
        self._note()

    def look_after(self) -> None:
        """One round: bury who has fallen, start again who is due."""
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                code = child.bury()
                self.say(f"{child.name} ended ({_how(code)}), starting it again.")
                self._note()
            if child.process is None and time.monotonic() >= child.due_at:
                self._restart(child)
        if self.logs is not None and time.monotonic() >= self.logs_due:
            self.logs_due = time.monotonic() + LOOK_AT_LOGS_S
            for log in self.logs.glob("*.log"):
                with suppress(OSError):  # a full disk, say; the next look is soon
                    keep_short(log)

    def _restart(self, child: Child) -> None:
        try:
            child.run()
            self._note()
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:  # a full disk, say
            self.say(f"{child.name} does not start: {error}")
            child.due_at = time.monotonic() + LONGEST_PAUSE_S

    def _note(self) -> None:
        if self.record is not None:
            with suppress(OSError):  # a full disk must not keep a child from its start
                processes.write(self.record, {one.name: one.recorded() for one in self.children})

    def stop(self) -> None:
        """End all at once but the last, then these in the reverse order of their start."""
        alive = [child for child in self.children if child.process is not None]
        together = [child for child in alive if not child.last]
        for child in together:
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(child.stop_signal)
        patience = time.monotonic() + max((child.patience for child in together), default=0)
        for child in together:
            self._end(child, None, patience - time.monotonic())
        for child in reversed([child for child in alive if child.last]):
            self._end(child, child.stop_signal, child.patience)
        self.children.clear()
        self._note()

    def _end(self, child: Child, number: int | None, patience: float) -> None:
        assert child.process is not None
        end(child.process, number, max(patience, 0))
        child.process = None


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
