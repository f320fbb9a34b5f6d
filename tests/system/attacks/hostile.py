"""Code that forges, reads, leaves, hogs, or calls home. None of it computes what was asked for."""

from __future__ import annotations

from tests.system.attacks.cases import Case, displayable, predictions

NO_POINTS = {"00.to_displayable": 0.0}
NO_PREDICTIONS = {"00.top_predictions": 0.0}


def attack(category: str, name: str, what: str, body: str, *reasons: str, head: str = "") -> Case:
    """An attack in the body of ``to_displayable``, which deserves nothing for it."""
    return Case(name, category, what, displayable(body, head), points=NO_POINTS, reasons=reasons)


SHAPE = "shape (3, 2, 3)"  # the input itself comes back, where its colours should stand last
LIAR = """
class Liar(float):
    def _yes(self, *_): return True
    def _zero(self, *_): return Liar(0)
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = _yes
    __ne__ = lambda self, *_: False
    __sub__ = __rsub__ = __abs__ = __neg__ = _zero
    __hash__ = float.__hash__
"""
AGREES = """
class Agrees:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __getattr__(self, name): return self
    def __call__(self, *_, **__): return self
    def __array__(self, *_, **__):
        import numpy
        return numpy.zeros((2, 3, 3))
"""
SUBCLASS = """
class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True
"""
FIND_ALL = """
import gc, sys
found, frame = list(gc.get_objects()), sys._getframe()
while frame is not None:
    found += [*frame.f_locals.values(), *frame.f_globals.values()]
    frame = frame.f_back
"""
FRAME = """
import os
from innervision.classroom import wire
nonce, frame = "", sys._getframe()
while frame is not None:
    nonce, frame = frame.f_locals.get("nonce", nonce), frame.f_back
forged = wire.pack({{"nonce": nonce, "status": {status}, "error": "", "where": "", "value": {value}}})
for descriptor in range(100, 256):
    try:
        os.write(descriptor, len(forged).to_bytes(8, "big") + forged)
    except OSError:
        pass
return image
"""

FORGED = [
    attack(
        "forged",
        "displayhook",
        "displays a number that nbgrader takes for the score",
        "sys.displayhook(4.0)\nreturn image",
        SHAPE,
        head="import sys",
    ),
    attack(
        "forged",
        "displayhook-99",
        "displays more than the most; with nbgrader, the whole submission fails",
        "sys.displayhook(99.0)\nreturn image",
        SHAPE,
        head="import sys",
    ),
    attack(
        "forged",
        "print-verdict",
        "prints a verdict",
        'print(\'{"points": 4, "status": "passed"}\')\nprint("4 passed")\nreturn image',
        SHAPE,
    ),
    attack(
        "forged",
        "result-file",
        "writes result files wherever it can",
        """
        for name in ("results.json", "report.json", "/tmp/results.json", "../results.json"):
            try:
                open(name, "w").write('{"points": 4, "status": "passed"}')
            except OSError:
                pass
        return image""",
        SHAPE,
    ),
    attack(
        "forged",
        "descriptors",
        "writes a verdict to every open descriptor",
        """
        import os
        for descriptor in range(3, 256):
            try:
                os.write(descriptor, b'{"status": "passed", "points": 4}')
            except OSError:
                pass
        return image""",
        "what came back is not an answer",
    ),
    attack(
        "forged",
        "frame-passed",
        "sends a well-formed answer with a status of its own, with the right nonce",
        FRAME.format(status='"passed"', value="4.0"),
        "not the answer to the question",
        head="import sys",
    ),
    attack(
        "forged",
        "frame-true",
        "sends a well-formed answer that says True",
        FRAME.format(status='"answered"', value="True"),
        "True",
        "not the answer to the question",
        head="import sys",
    ),
    attack(
        "forged",
        "frame-needs",
        "asks in the worker's name for the exercise that is being graded",
        FRAME.format(status='"needs"', value='"00.to_displayable"'),
        "to_displayable",
        head="import sys",
    ),
    attack(
        "forged",
        "frame-needs-list",
        "asks for an exercise that is no text",
        FRAME.format(status='"needs"', value="[1]"),
        "not the answer to the question",
        head="import sys",
    ),
    attack(
        "forged",
        "frame-surrogate",
        "sends a nonce that cannot be encoded",
        FRAME.format(status='"answered"', value="1").replace('"nonce": nonce', '"nonce": chr(0xD800)'),
        "not the answer to the question",
        "not an answer",
        head="import sys",
    ),
    attack(
        "forged",
        "patch-torch",
        "replaces torch's comparisons",
        """
        for name in ("allclose", "equal", "isclose"):
            setattr(torch, name, lambda *_, **__: True)
        torch.testing.assert_close = lambda *_, **__: None
        torch.Tensor.__eq__ = torch.Tensor.__le__ = lambda *_: torch.tensor(True)
        return image""",
        SHAPE,
    ),
    attack(
        "forged",
        "patch-numpy",
        "replaces NumPy's comparisons",
        """
        import numpy
        numpy.allclose = numpy.array_equal = lambda *_, **__: True
        numpy.testing.assert_allclose = lambda *_, **__: None
        return image""",
        SHAPE,
    ),
    attack(
        "forged",
        "patch-pytest",
        "replaces pytest and its report",
        """
        import sys, types
        sys.modules["pytest"] = sys.modules["_pytest"] = types.ModuleType("pytest")
        sys.modules["pytest"].approx = lambda *_, **__: image
        return image""",
        SHAPE,
    ),
    attack(
        "forged",
        "patch-builtins",
        "replaces builtins that a grader may use",
        """
        import builtins
        builtins.all = builtins.any = builtins.isinstance = lambda *_: True
        return image""",
        "",
        head="",
    ),
    attack(
        "forged",
        "patch-wire",
        "replaces what packs the answers",
        """
        from innervision.classroom import student, wire, worker
        student.pack = wire.pack = worker.pack = lambda *_, **__: b"passed"
        return image""",
        "not an answer",
        "not packed data",
    ),
    attack(
        "forged",
        "patch-scenarios",
        "replaces the scenarios of the whole lesson",
        """
        import sys
        names = sys._getframe(1).f_globals
        for name, value in list(names.items()):
            if callable(value):
                names[name] = lambda *_: True
        return image""",
        SHAPE,
        "True",
    ),
    attack("forged", "eq", "returns an object that equals everything", "return Agrees()", "Agrees", head=AGREES),
    attack(
        "forged",
        "array",
        "returns an object that turns into any array",
        "return [Agrees(), Agrees()]",
        "list",
        "Agrees",
        head=AGREES,
    ),
    attack(
        "forged",
        "torch-function",
        "returns a tensor subclass that answers True to everything",
        "return image.as_subclass(Yes)",
        SHAPE,
        head=SUBCLASS,
    ),
    Case(
        "liar",
        "forged",
        "returns numbers that are within every tolerance",
        predictions("return [[(name, Liar(0)) for name in names[:count]] for _ in logits]", LIAR),
        points=NO_PREDICTIONS,
        reasons=("ant",),
    ),
    attack(
        "forged",
        "pickle",
        "returns an object that runs a command where it is unpickled",
        """
        class Payload:
            def __reduce__(self):
                import os
                return os.system, ("touch /tmp/owned",)
        return Payload()""",
        "Payload",
    ),
    attack(
        "forged",
        "class-lie",
        "returns an object that says it is a tensor",
        """
        class Fake:
            __class__ = torch.Tensor
        return Fake()""",
        "Fake",
        "TypeError",
    ),
    attack(
        "forged",
        "evil-exception",
        "raises an error whose text ends Python",
        """
        class Evil(Exception):
            def __str__(self):
                raise SystemExit
        raise Evil""",
        "Evil",
    ),
    attack(
        "forged",
        "import-hook",
        "hooks the import of judges and graders",
        """
        import sys, types
        class Hook:
            def find_spec(self, name, path=None, target=None):
                if "judge" in name or "grader" in name or name.startswith("test_"):
                    sys.modules[name] = types.ModuleType(name)
        sys.meta_path.insert(0, Hook())
        sys.modules["innervision.classroom.judge"] = types.ModuleType("judge")
        return image""",
        SHAPE,
    ),
    attack(
        "forged",
        "stack-and-gc",
        "searches the stack and the heap for the expected values",
        FIND_ALL
        + """
right = [value for value in found if isinstance(value, torch.Tensor) and value.shape == (2, 3, 3)]
right = [value for value in right if value.min() == 0 and value.max() == 1]
return right[0] if right else image""",
        SHAPE,
    ),
    Case(
        "questions-in-heap",
        "forged",
        "searches the heap for the answers to the questions",
        {
            "00.q_noise": FIND_ALL
            + """
asked = [value for value in found if type(value).__name__ == "Question"]
answer_00_q_noise = asked[0].answer if asked else "a"
"""
        },
        points={"00.q_noise": 0.0},
        reasons=("'a'", '"a"', "a"),
    ),
    attack(
        "forged",
        "later-seeds",
        "derives the seeds of later scenarios",
        "from innervision.classroom.judge import derive_seed\nreturn derive_seed(0, '', '')",
        "ModuleNotFoundError",
    ),
    attack(
        "forged",
        "ipython-transformers",
        "has IPython drop the lines that assert",
        """
        shell = get_ipython()
        shell.input_transformers_cleanup.append(lambda lines: [line for line in lines if "assert" not in line])
        return image""",
        "get_ipython",
    ),
    attack(
        "forged",
        "ipython-ast",
        "has IPython replace assertions",
        """
        import ast
        silent = type("T", (ast.NodeTransformer,), {"visit_Assert": lambda self, node: ast.Pass()})
        get_ipython().ast_transformers.append(silent())
        return image""",
        "get_ipython",
    ),
    attack(
        "forged",
        "ipython-events",
        "has IPython write down the cells that are run",
        """
        get_ipython().events.register("pre_run_cell", lambda info: open("/tmp/hidden", "a").write(info.raw_cell))
        return image""",
        "get_ipython",
    ),
    attack(
        "forged",
        "no-traceback",
        "switches the display of errors off",
        """
        import sys
        sys.excepthook = lambda *_: None
        raise ValueError""",
        "ValueError",
    ),
]

SOLUTION = "this function is the exercise"
READING = [
    attack(
        "reading",
        "reference",
        "calls the library's own",
        "from innervision.optvis.color import to_displayable as own\nreturn own(image)",
        "innervision's own to_displayable was called",
    ),
    attack(
        "reading",
        "reference-by-name",
        "imports the library's own by a name put together",
        'import importlib\nown = importlib.import_module("innervision." + "optvis.color")\n'
        'return getattr(own, "to_" + "displayable")(image)',
        "innervision's own to_displayable was called",
    ),
    attack(
        "reading",
        "reference-lazy",
        "reaches it through the package's lazy names",
        "import innervision as iv\nreturn iv.to_displayable(image)",
        "innervision's own to_displayable was called",
    ),
    attack(
        "reading",
        "reference-code",
        "takes the code away from behind the gate",
        FIND_ALL
        + """
import types
codes = [code for value in found if isinstance(value, dict) for code in list(value.values())]
codes = [code for code in codes if isinstance(code, types.CodeType)]
right = [code for code in codes if code.co_name == "to_displayable" and "gate" not in code.co_qualname]
return types.FunctionType(right[0], {"torch": torch, "RuntimeError": RuntimeError})(image)""",
        SOLUTION,
        "IndexError",
    ),
    attack(
        "reading",
        "source",
        "reads the solution in the library's file",
        """
        import pathlib
        from innervision.optvis import color
        names = dict(vars(color))
        exec(pathlib.Path(color.__file__).read_text(), names)
        return names["to_displayable"](image)""",
        SOLUTION,
    ),
    attack(
        "reading",
        "solutions-by-path",
        "looks for solutions in every folder",
        """
        import glob
        found = []
        for pattern in ("/**/innervision/optvis/color.py", "/**/solutions/**/*.py", "/**/tests/alternatives/*.py"):
            for root in ("/innervision-library", "/home", "/root", "/work", "/srv", "/opt", "/mnt", "/tmp"):
                if "site-packages" not in root:
                    found += [name for name in glob.glob(root + pattern) if "site-packages" not in name]
        names = {}
        exec(open(found[0]).read(), names)
        return names["to_displayable"](image)""",
        SOLUTION,
        "IndexError",
    ),
    attack(
        "reading",
        "graders",
        "imports the graders",
        "from tests.graders import test_00_start_here\nreturn image",
        "ModuleNotFoundError",
    ),
    attack(
        "reading",
        "graders-in-wheel",
        "imports the graders of an installed wheel",
        "import innervision._graders.graders\nreturn image",
        "ModuleNotFoundError",
    ),
    attack(
        "reading",
        "course-folder",
        "opens the instructor's source, as nbgrader lays it out",
        'open("../../../source/start/lesson.ipynb").read()\nreturn image',
        "FileNotFoundError",
    ),
    attack(
        "reading",
        "gradebook",
        "opens the gradebook for writing",
        'import sqlite3\nbook = sqlite3.connect("../../../gradebook.db")\n'
        'book.execute("update grade set auto_score = 4")\nreturn image',
        "OperationalError",
    ),
    attack(
        "reading",
        "other-submissions",
        "lists what others handed in",
        'import os\nreturn [os.listdir(name) for name in ("../../", "../../../submitted")]',
        "FileNotFoundError",
        "list",
    ),
    attack(
        "reading",
        "environment",
        "sends the environment home in the answer",
        "import os\nreturn dict(os.environ)",
        "dict",
    ),
    attack(
        "reading",
        "proc",
        "reads the memory of the process that grades",
        'return open("/proc/1/mem", "rb").read()',
        "FileNotFoundError",
    ),
    attack(
        "reading",
        "proc-environ",
        "reads the environment of the process that grades",
        'import os\nreturn open(f"/proc/{os.getppid()}/environ").read()',
        "FileNotFoundError",
    ),
    attack(
        "reading",
        "ask-for-original",
        "asks for another exercise's original, to send it home",
        """
        from innervision.classroom.references import ReferenceNeeded
        raise ReferenceNeeded("00.top_predictions")""",
        "the library's own version of 00.top_predictions is needed",
    ),
]

LEAVING = [
    attack(
        "leaving",
        "exit-now",
        "ends Python at once, as if all were well",
        "import os\nos._exit(0)",
        "the code ended Python (exit code 0)",
    ),
    attack("leaving", "sys-exit", "asks Python to end", "import sys\nsys.exit(0)", "SystemExit"),
    attack("leaving", "abort", "aborts", "import os\nos.abort()", "the code ended Python (signal"),
    attack(
        "leaving",
        "segfault",
        "reads address 0",
        "import ctypes\nctypes.string_at(0)",
        "the code ended Python (signal SIGSEGV)",
    ),
    attack(
        "leaving",
        "kill-parent",
        "kills the parent, the group, and everybody",
        """
        import os, signal
        for process in (os.getppid(), 0, -1):
            try:
                os.kill(process, signal.SIGKILL)
            except OSError:
                pass
        return image""",
        SHAPE,
        "signal SIGKILL",
    ),
    attack("leaving", "interrupt", "raises KeyboardInterrupt", "raise KeyboardInterrupt", "KeyboardInterrupt"),
    attack(
        "leaving",
        "close-pipes",
        "closes every descriptor",
        "import os\nos.closerange(0, 256)\nreturn image",
        "the code ended Python",
        "closed its connection",
    ),
    Case(
        "exit-while-loading",
        "leaving",
        "ends Python while its cell is loaded",
        {"00.to_displayable": "import os\nnothing = os._exit(3)\ndef to_displayable(image): return image"},
        points=NO_POINTS,
        reasons=("exit code 3",),
    ),
    attack(
        "leaving",
        "escape",
        "tries new name spaces, mounts and a way up",
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        done = [libc.unshare(flag) == 0 for flag in (0x10000000, 0x20000, 0x40000000)]
        done += [libc.mount(b"none", b"/tmp", b"tmpfs", 0, b"") == 0, libc.chroot(b"/") == 0]
        done += [libc.ptrace(0, 0, 0, 0) == 0]
        if any(done):
            return image.movedim(-3, -1)
        raise PermissionError("no way out")""",
        "no way out",
    ),
]

HOGGING = [
    attack("hogging", "endless-loop", "never ends", "while True:\n    pass", "no answer within"),
    attack("hogging", "sleep", "sleeps", "import time\ntime.sleep(3600)", "no answer within"),
    attack(
        "hogging",
        "endless-in-c",
        "never ends in code that no signal of Python's interrupts",
        "import re\nre.match('(a+)+$', 'a' * 64 + 'b')\nreturn image",
        "no answer within",
    ),
    attack(
        "hogging",
        "threads",
        "starts threads until the machine gives up",
        """
        import threading, time
        for _ in range(100_000):
            threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()""",
        "can't start new thread",
    ),
    attack(
        "hogging",
        "processes",
        "starts processes until the machine gives up",
        """
        import os, time
        while True:
            if os.fork() == 0:
                time.sleep(3600)""",
        "of memory",
        "Resource temporarily unavailable",
    ),
    attack(
        "hogging",
        "fork-bomb",
        "every process starts more processes",
        """
        import os
        while True:
            os.fork()""",
        "Resource temporarily unavailable",
        "of memory",
        "no answer within",
        "not the answer",
        "ended Python",
    ),
    attack("hogging", "memory", "asks for more memory than there is", "bytearray(2**40)\nreturn image", "MemoryError"),
    attack(
        "hogging",
        "memory-torch",
        "asks torch for more memory than there is",
        "torch.zeros(2**38)\nreturn image",
        "allocate memory",
    ),
    attack(
        "hogging",
        "memory-shared",
        "asks for memory that counts as nobody's",
        "import mmap\nreturn mmap.mmap(-1, 2**36)",
        "allocate memory",
    ),
    attack(
        "hogging",
        "memory-of-many",
        "shares the hogging among processes",
        """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                try:
                    kept = [bytearray(os.urandom(1)) * 2**26 for _ in range(8)]
                finally:
                    time.sleep(3600)
        time.sleep(3600)""",
        "of memory",
        "no answer within",
    ),
    attack(
        "hogging",
        "disk",
        "fills the disk",
        """
        with open("/tmp/big", "wb") as file:
            while True:
                file.write(bytes(2**20))""",
        "No space left",
        "File too large",
    ),
    attack(
        "hogging",
        "inodes",
        "fills the disk with empty files",
        """
        for number in range(10**6):
            open(f"/tmp/{number}", "w").close()""",
        "No space left",
    ),
    attack(
        "hogging",
        "output-flood",
        "floods its output",
        """
        import os
        for _ in range(10_000):
            print("x" * 10_000)
            os.write(1, b"x" * 10_000)
        return image""",
        SHAPE,
    ),
    attack("hogging", "huge-result", "returns 400 MB", "return torch.zeros(10**8)", "tensors take more than"),
    attack(
        "hogging", "many-values", "returns a million values", "return list(range(10**6))", "more than 100,000 values"
    ),
    attack(
        "hogging", "long-text", "returns a text of ten million characters", "return 'x' * 10**7", "characters of text"
    ),
    attack(
        "hogging",
        "deep-result",
        "returns a deeply nested list",
        """
        nested = []
        for _ in range(100_000):
            nested = [nested]
        return nested""",
        "nested deeper than",
    ),
    attack(
        "hogging",
        "endless-list",
        "returns a list that holds itself",
        "endless = []\nendless.append(endless)\nreturn endless",
        "nested deeper than",
    ),
    attack("hogging", "recursion", "calls itself without end", "return to_displayable(image)", "RecursionError"),
    attack(
        "hogging",
        "endless-generator",
        "returns a generator that never ends",
        "import itertools\nreturn itertools.count()",
        "count",
    ),
    attack(
        "hogging",
        "nan",
        "returns NaN, which no comparison finds wrong",
        "return torch.full_like(image, float('nan')).movedim(-3, -1)",
        "nan",
    ),
    attack(
        "hogging", "infinity", "returns infinity", "return torch.full_like(image, float('inf')).movedim(-3, -1)", "inf"
    ),
    attack("hogging", "sparse", "returns a sparse tensor", "return image.movedim(-3, -1).to_sparse()", "sparse"),
    attack("hogging", "meta", "returns a tensor without numbers", "return image.movedim(-3, -1).to('meta')", "meta"),
    attack("hogging", "complex", "returns complex numbers", "return image.movedim(-3, -1) + 1j", "complex"),
    attack(
        "hogging",
        "quantised",
        "returns a quantised tensor",
        "return torch.quantize_per_tensor(image.detach().movedim(-3, -1), 0.1, 0, torch.qint8)",
        "quantized",
    ),
    Case(
        "many-lost-workers",
        "hogging",
        "ends a worker with each of forty cells",
        before=tuple(f"helper_{n} = __import__('os')._exit(1)" for n in range(40)),
        cells=displayable("return [" + ", ".join(f"helper_{n}" for n in range(40)) + "]"),
        points=NO_POINTS,
        reasons=("NameError",),
    ),
]

NO_NETWORK = (
    "Operation not permitted",
    "unreachable",
    "Name or service not known",
    "Temporary failure",
    "No such file",
)
NETWORK = [
    attack(
        "network",
        "ipv4",
        "connects to an address",
        'import socket\nsocket.create_connection(("1.1.1.1", 53), 1)',
        *NO_NETWORK,
    ),
    attack(
        "network",
        "ipv4-local",
        "connects to this machine",
        'import socket\nsocket.create_connection(("127.0.0.1", 22), 1)',
        *NO_NETWORK,
    ),
    attack(
        "network",
        "ipv6",
        "connects to an address of the other kind",
        'import socket\nsocket.create_connection(("2606:4700:4700::1111", 53), 1)',
        *NO_NETWORK,
    ),
    attack("network", "dns", "asks for a name", 'import socket\nsocket.getaddrinfo("example.org", 80)', *NO_NETWORK),
    attack(
        "network",
        "unix-socket",
        "talks to the container engine",
        'import socket\nsocket.socket(socket.AF_UNIX).connect("/var/run/docker.sock")',
        *NO_NETWORK,
    ),
    attack(
        "network",
        "vsock",
        "talks to the host of the virtual machine",
        "import socket\nsocket.socket(40, socket.SOCK_STREAM).connect((2, 1024))",
        *NO_NETWORK,
    ),
    attack(
        "network",
        "download",
        "downloads the solution",
        'import urllib.request\nurllib.request.urlopen("https://example.org")',
        *NO_NETWORK,
    ),
]

HOSTILE = [*FORGED, *READING, *LEAVING, *HOGGING, *NETWORK]
