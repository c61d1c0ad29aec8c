"""What hostile code tries, under each sandbox that works here: nothing gets through; CONTRIBUTING tells what happens.

``GEMINI_EXEC_WRITE_README=1 pytest tests/runtime/test_runtime_attacks.py`` writes the table anew. Its column of a
sandbox that does not work on this computer is neither written nor compared.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from magic_ext.runtime.execution import Execution
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.limits import Limits
from magic_ext.runtime.pool import Pool
from magic_ext.runtime.session import Session

DOCUMENT = Path(__file__).parent.parent.parent / "CONTRIBUTING.md"
BEGIN = "<!-- attacks: generated from tests/runtime/test_runtime_attacks.py -->\n"
END = "<!-- /attacks -->"
WRITING = bool(os.environ.get("GEMINI_EXEC_WRITE_README"))
LIMITS = Limits(seconds=8, memory_bytes=768 * 1024**2, processes=60, file_bytes=32 * 1024**2, output_bytes=64 * 1024)
THROUGH = "GETS THROUGH"
KEPT, LOST = "variables are kept", "the kernel is ended"

if sys.platform == "win32":
    pytest.skip("nothing isolates there", allow_module_level=True)


class Bait(NamedTuple):
    """What lies outside the sandbox, to be had: a key, a process with a secret, ports and sockets."""

    key: Path
    marker: str
    pid: int
    tcp: socket.socket
    udp: socket.socket
    unix: socket.socket
    nameless: socket.socket

    def fill(self, code: str) -> str:
        """The attack's code, with the places of the bait in it."""
        places = {
            "KEY": str(self.key),
            "FOLDER": str(self.key.parent),
            "HOST_TMP": tempfile.gettempdir(),
            "MARKER": self.marker,
            "PID": self.pid,
            "TCP": self.tcp.getsockname()[1],
            "UDP": self.udp.getsockname()[1],
            "UNIX": self.unix.getsockname(),
            "NAMELESS": self.nameless.getsockname(),
        }
        return "".join(f"{name} = {value!r}\n" for name, value in places.items()) + textwrap.dedent(code)

    def caught(self) -> bool:
        """Whether anything has arrived, or is no longer as it was."""
        for each in (self.tcp, self.udp, self.unix, self.nameless):
            with contextlib.suppress(BlockingIOError):
                each.recv(1) if each is self.udp else each.accept()[0].close()
                return True
        there = sorted(path.name for path in self.key.parent.iterdir())
        written = (self.key.parent / "written", Path(tempfile.gettempdir(), f"{self.marker}.written"))
        alive = Path(f"/proc/{self.pid}").exists() or not Path("/proc").exists()
        return any(path.exists() for path in written) or there != ["id_rsa", "unix"] or not alive


class Attack(NamedTuple):
    """A row of the table: what is tried, by which code, and how what came of it is told."""

    what: str
    code: str
    tell: Callable[[Execution, Session], str]
    seconds: float | None = None


def refused(done: Execution, session: Session) -> str:
    """The code prints ``THROUGH`` when it has what it wants; else the name of its error tells."""
    if "THROUGH" in done.output:
        return THROUGH
    return f"`{done.exception}`" if done.status == "error" else "nothing comes of it"


def unnoticed(done: Execution, session: Session) -> str:
    """The code believes that it worked; whether it did is seen at the bait."""
    return "nothing comes of it" if done.status in {"ok", "error"} else f"{THROUGH}: {done.error}"


def bounded(done: Execution, session: Session) -> str:
    """The code prints ``THROUGH`` when it was not stopped."""
    if "THROUGH" in done.output:
        return THROUGH
    if session.alive:
        kept = session.run("kept").output == "'kept'\n"
        stopped = {"timeout": "stopped in time", "error": "refused"}.get(done.status, THROUGH)
        return f"{stopped}, {KEPT}" if kept else f"{THROUGH}: variables are gone"
    return LOST


def cut(done: Execution, session: Session) -> str:
    """Output ends at the limit, and the next run is quiet."""
    size = len(done.output.encode()) + len(done.error)
    session.run("import time; time.sleep(0.1)")  # what waited in a pipe comes late
    quiet = not session.alive or session.run("print('quiet')").output == "quiet\n"
    if size > 2 * LIMITS.output_bytes or sum(map(len, done.images)) > 20_000_000 or "\x1b" in done.output or not quiet:
        return f"{THROUGH}: {size} bytes"
    return "cut"


def dropped(done: Execution, session: Session) -> str:
    """Of what the code displays or sends, text and pictures alone arrive."""
    told = done.output + done.error
    return THROUGH if "evil" in told or done.images or done.state_lost else "does not arrive"


def harmless(done: Execution, session: Session) -> str:
    """What the code laid out for the next file that is brought to it does not lead astray."""
    assert done.status == "ok", done.error
    for name in ("data.arrow", "folder/data.arrow", "loop/data.arrow"):
        session.put(name, b"brought")
        if session.run(f"open({name!r}, 'rb').read()").output != "b'brought'\n":
            return f"{THROUGH}: {name}"
    for name in ("../evil", "folder/../../evil", "/tmp/evil", "a//b", "."):
        with contextlib.suppress(ValueError):
            session.put(name, b"evil")
            return f"{THROUGH}: {name}"
    return "replaced or refused, never followed"


def reads(path: str) -> str:
    return f"if open({path}, 'rb').read(1): print('THROUGH')"


ATTACKS = [
    Attack("Read a key in the home folder", reads("KEY"), refused),
    Attack("List the home folder", "import os\nif 'id_rsa' in os.listdir(FOLDER): print('THROUGH')", refused),
    Attack("Read `/etc/passwd`", reads("'/etc/passwd'"), refused),
    Attack(
        "Read the disk itself, the system's memory, its log",
        """
        import glob, os, stat
        for name in [*glob.glob('/dev/*'), '/dev/mem', '/dev/kmsg', '/proc/kcore', '/proc/1/root/etc/passwd']:
            try:
                if stat.S_ISCHR(os.stat(name).st_mode) and name not in ('/dev/mem', '/dev/kmsg'): continue
                handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
                if os.read(handle, 1): print('THROUGH', name)
            except OSError: pass
        """,
        refused,
    ),
    Attack(
        "Read the environment of the notebook's kernel, or of any process",
        """
        import glob
        for name in [*glob.glob('/proc/[0-9]*/environ'), *glob.glob('/proc/[0-9]*/cmdline')]:
            try:
                if MARKER.encode() in open(name, 'rb').read(): print('THROUGH')
            except OSError: pass
        """,
        refused,
    ),
    Attack("Find a key in its own environment", "import os\nif MARKER in str(os.environ): print('THROUGH')", refused),
    Attack(
        "Read another process's memory",
        """
        import ctypes
        if ctypes.CDLL(None).ptrace(16, PID, 0, 0) == 0: print('THROUGH')
        open(f'/proc/{PID}/mem', 'rb')
        print('THROUGH')
        """,
        refused,
    ),
    Attack("End another process", "import os\nos.kill(PID, 9)\nprint('THROUGH')", refused),
    Attack(
        "Reach a TCP port",
        "import socket\nsocket.create_connection(('127.0.0.1', TCP), 2)\nprint('THROUGH')",
        refused,
    ),
    Attack(
        "Send a datagram",
        "import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', UDP))",
        unnoticed,
    ),
    Attack(
        "Ask a name server",
        """
        import socket
        query = bytes.fromhex('123401000001000000000000076578616d706c6503636f6d0000010001')
        socket.socket(type=socket.SOCK_DGRAM).sendto(query, ('127.0.0.1', UDP))
        print('THROUGH', socket.getaddrinfo('example.com', 443))
        """,
        refused,
    ),
    Attack(
        "Reach a program's unix socket",
        "import socket\nsocket.socket(socket.AF_UNIX).connect(UNIX)\nprint('THROUGH')",
        refused,
    ),
    Attack(
        "Reach a unix socket that is no file",
        "import socket\nsocket.socket(socket.AF_UNIX).connect(NAMELESS)\nprint('THROUGH')",
        refused,
    ),
    Attack(
        "Read packets off the network",
        "import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW)\nprint('THROUGH')",
        refused,
    ),
    Attack("Write into the home folder", "open(FOLDER + '/written', 'w')\nprint('THROUGH')", refused),
    Attack("Write into the system", "open('/usr/written', 'w')\nprint('THROUGH')", refused),
    Attack("Write into the computer's `/tmp`", "open(f'{HOST_TMP}/{MARKER}.written', 'w')", unnoticed),
    Attack(
        "Put a link in the place of its own folder",
        "import os\nos.rename(os.getcwd(), os.getcwd() + '2')\nprint('THROUGH')",
        refused,
    ),
    Attack("Change the kernel's own script", "open(os.getcwd() + '/../kernel.py', 'a')\nprint('THROUGH')", refused),
    Attack(
        "Get new rights by a user namespace",
        "import ctypes\nif ctypes.CDLL(None).unshare(0x10020000) == 0: print('THROUGH')",
        refused,
    ),
    Attack(
        "Fork without end",
        """
        import os, time
        kept = 'kept'
        for _ in range(300):
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        time.sleep(3)
        print('THROUGH')
        """,
        lambda done, session: forked(done, session),
    ),
    Attack(
        "Take all memory",
        """
        kept, blocks = 'kept', []
        try:
            while True: blocks.append(b'x' * 2**26)
        except MemoryError:
            blocks.clear()
            raise
        """,
        bounded,
    ),
    Attack(
        "Take all memory, a process at a time",
        """
        import os, time
        kept = 'kept'
        for _ in range(6):
            if os.fork() == 0:
                block = bytearray(b'x') * (200 * 2**20)
                time.sleep(60)
                os._exit(0)
        time.sleep(6)
        print('THROUGH')
        """,
        bounded,
    ),
    Attack(
        "Take all memory, shared between processes",
        """
        import mmap
        kept = 'kept'
        for _ in range(4):
            block = mmap.mmap(-1, 2**28)
            for _ in range(64): block.write(b'x' * 2**22)
            kept_block = globals().setdefault('blocks', []).append(block)
        import time; time.sleep(3)
        print('THROUGH')
        """,
        bounded,
    ),
    Attack(
        "Fill the memory behind `/dev/shm` and `/tmp`",
        """
        kept = 'kept'
        for folder in ('/dev/shm', '/tmp'):
            for number in range(20):
                with open(f'{folder}/fill{number}', 'wb') as file:
                    for _ in range(31): file.write(b'x' * 2**20)
        print('THROUGH')
        """,
        bounded,
    ),
    Attack("Write a huge file", "kept = 'kept'\nopen('big', 'wb').write(b'x' * 2**26)\nprint('THROUGH')", bounded),
    Attack("Print without end", "while True: print('x' * 1000)", cut, 1),
    Attack("The same on stderr", "import sys\nwhile True: print('x' * 1000, file=sys.stderr)", cut, 1),
    Attack("The same below Python", "import os\nwhile True: os.write(1, b'x' * 1000)", cut, 1),
    Attack("Display without end", "while True: display('x' * 1000)", cut, 1),
    Attack(
        "Terminal codes without end",
        "while True: print('\\x1b[31m\\x1b[2J\\x1b]0;evil\\x07' * 50, 'x', end='')",
        cut,
        1,
    ),
    Attack("Raise an error of 30 MB", "raise ValueError('x' * 30_000_000)", cut),
    Attack(
        "Pictures without end, and huge ones",
        """
        import base64, os
        small = base64.b64encode(b'\\x89PNG\\r\\n\\x1a\\n' + os.urandom(200_000)).decode()
        display({'image/png': base64.b64encode(b'\\x89PNG\\r\\n\\x1a\\n' + os.urandom(22_000_000)).decode()}, raw=True)
        while True: display({'image/png': small}, raw=True)
        """,
        cut,
        2,
    ),
    Attack("Loop without end", "kept = 'kept'\nwhile True: pass", bounded, 0.5),
    Attack(
        "Loop and ignore the interrupt",
        "import signal\nsignal.signal(2, signal.SIG_IGN)\nwhile True: pass",
        bounded,
        0.5,
    ),
    Attack(
        "Leave a daemon behind (forked twice, a session of its own)",
        """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True: time.sleep(0.05)
            os._exit(0)
        os.wait()
        """,
        lambda done, session: daemon(done, session),
    ),
    Attack("Ask at the keyboard and wait", "input('your password?')\nprint('THROUGH')", refused),
    Attack(
        "Lay links and `..` under the names of attached files",
        """
        import os
        os.symlink(KEY, 'data.arrow')
        os.symlink(FOLDER, 'folder')
        os.symlink('loop', 'loop')
        """,
        harmless,
    ),
    Attack(
        "Have a pickle read",
        """
        import os, pickle
        class Evil:
            def __reduce__(self):
                return os.mkdir, (FOLDER + '/written',)
        for name in ('data.arrow', 'data.pkl'): open(name, 'wb').write(pickle.dumps(Evil()))
        display({'application/x-python-pickle': pickle.dumps(Evil()).hex()}, raw=True)
        """,
        lambda done, session: harmless(done, session).replace("replaced or refused, never followed", "is never read"),
    ),
    Attack(
        "Send messages to the notebook's widgets",
        """
        import comm
        comm.create_comm(target_name='evil', data={'evil': 1}).send({'method': 'custom', 'evil': 1})
        """,
        dropped,
    ),
    Attack(
        "Put code into the notebook's next cell",
        """
        get_ipython().set_next_input('evil()')
        get_ipython().payload_manager.write_payload({'source': 'set_next_input', 'text': 'evil()'})
        """,
        dropped,
    ),
    Attack(
        "Display HTML and JavaScript",
        """
        from IPython.display import HTML, Javascript
        display(HTML('<script>evil()</script>'), Javascript('evil()'))
        display({'text/html': '<img src=x onerror=evil()>', 'application/javascript': 'evil()'}, raw=True)
        """,
        dropped,
    ),
    Attack(
        "Forge the kernel's messages",
        """
        kernel = get_ipython().kernel
        session, parent = kernel.session, kernel.get_parent('shell')
        def send(kind, content):
            parts = session.msg_header(kind), parent['header'], {}, content
            session.send_raw(kernel.iopub_socket, [session.pack(part) for part in parts], ident=b'evil')
        for wrong in ([], {'data': []}, {'data': {'image/png': 7, 'text/plain': ['evil']}}, {'text': {'evil': 1}}):
            for kind in ('stream', 'display_data', 'error', 'status', 'update_display_data', 'clear_output', 'evil'):
                send(kind, wrong)
        deep = 'x'
        for _ in range(900): deep = [deep]
        send('display_data', {'data': {'text/plain': deep}})
        send('status', {'execution_state': 'idle'})  # as if it had ended
        """,
        dropped,
    ),
]


def forked(done: Execution, session: Session) -> str:
    if "THROUGH" in done.output or not _ends_with(session):
        return THROUGH
    return "ended at the limit"


def daemon(done: Execution, session: Session) -> str:
    return "ends with the kernel" if done.status == "ok" and _ends_with(session) else THROUGH


def _ends_with(session: Session) -> bool:
    """Whether all that was started in a session ends with it."""
    home = f"HOME={session.workdir.parent / 'home'}".encode()
    session.close()
    until = time.monotonic() + 20
    while _having(home) and time.monotonic() < until:
        time.sleep(0.05)
    return not _having(home)


def _having(variable: bytes) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if variable in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
    return found


@pytest.fixture(scope="module")
def bait() -> Iterator[Bait]:
    marker = f"gemini-exec-bait-{os.getpid()}"
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f".{marker}-", dir=Path.home())))
        (folder / "id_rsa").write_text("a key")
        sleep = [sys.executable, "-c", "import time; time.sleep(600)", marker]
        neighbour = stack.enter_context(subprocess.Popen(sleep, env={**os.environ, "A_KEY": marker}))
        stack.callback(neighbour.kill)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        unix, nameless = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        unix.bind(str(folder / "unix"))
        nameless.bind(f"\0{marker}" if sys.platform == "linux" else str(folder / "nameless"))
        unix.listen()
        nameless.listen()
        for each in (tcp, udp, unix, nameless):
            each.setblocking(False)
        yield Bait(folder / "id_rsa", marker, neighbour.pid, tcp, udp, unix, nameless)


@pytest.fixture(scope="module")
def inside(sandbox: Isolation, pool_of: Callable[[Isolation], Pool]) -> Iterator[Callable[[], Session]]:
    """Gives the sandbox's session, a fresh one where the last attack has ended it."""
    held: list[Session] = []
    with pool_of(msgspec.structs.replace(sandbox, limits=LIMITS)) as pool:

        def session() -> Session:
            if held and not held[-1].alive:
                pool.give_back(held.pop(), None)
            if not held:
                held.append(pool.take(None))
            return held[-1]

        yield session


@pytest.fixture(scope="module")
def told() -> Iterator[dict[tuple[str, str], str]]:
    """What happened, by attack and sandbox; it goes into the table where that is asked for."""
    cells: dict[tuple[str, str], str] = {}
    yield cells
    if WRITING:
        text = DOCUMENT.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        DOCUMENT.write_text(before + BEGIN + _table(cells) + END + rest.partition(END)[2], encoding="utf-8")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: re.sub(r"\W+", "-", attack.what).strip("-"))
def test_nothing_gets_through(
    attack: Attack,
    sandbox: Isolation,
    inside: Callable[[], Session],
    bait: Bait,
    told: dict[tuple[str, str], str],
) -> None:
    session = inside()
    done = session.run(bait.fill(attack.code), seconds=attack.seconds)
    words = attack.tell(done, session)
    assert THROUGH not in words, (words, done)
    assert not bait.caught()
    assert inside().run("6 * 7").output == "42\n", "the next code runs"
    told[attack.what, sandbox.name] = words
    known = _known()
    assert WRITING or (attack.what, sandbox.name) not in known or known[attack.what, sandbox.name] == words


def test_the_table_tells_of_nothing_else() -> None:
    rows = list(dict.fromkeys(what for what, _ in _known()))
    assert WRITING or rows == [attack.what for attack in ATTACKS]


def _known() -> dict[tuple[str, str], str]:
    """The document's table, by attack and sandbox."""
    text = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in text.splitlines()]
    if not rows:
        return {}
    names = [name.strip("`") for name in rows[0][1:]]
    return {(row[0], name): cell for row in rows[2:] for name, cell in zip(names, row[1:], strict=True)}


def _table(cells: dict[tuple[str, str], str]) -> str:
    both = {**_known(), **cells}
    names = list(dict.fromkeys(name for _, name in both))
    lines = [
        "| what the code tries | " + " | ".join(f"`{name}`" for name in names) + " |",
        "| --- " * (len(names) + 1) + "|",
    ]
    lines += [f"| {a.what} | " + " | ".join(both[a.what, name] for name in names) + " |" for a in ATTACKS]
    return "\n".join(lines) + "\n"
