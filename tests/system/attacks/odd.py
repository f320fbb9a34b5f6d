"""Notebooks that came to harm, and honest work that looks odd."""

from __future__ import annotations

import copy
import json

from tests.system.attacks.cases import (
    NOTHING,
    RIGHT,
    SOLUTIONS,
    Case,
    Notebook,
    cell_of,
    check_of,
    code,
    displayable,
    predictions,
)

MOST_LIKELY = """
values, places = logits.topk(count)
return [[(names[i], float(v)) for v, i in zip(row, where)] for row, where in zip(values, places.tolist())]
"""
BOTH = {"00.to_displayable": 0.0}


def unreadable(name: str, what: str, data: bytes, reason: str) -> Case:
    """A file that is no notebook."""
    return Case(name, "structure", what, change=lambda _: data, points=NOTHING, reasons=(reason,))


def kept(name: str, what: str, change: object, *reasons: str) -> Case:
    """A notebook that came to harm and deserves full marks all the same."""
    return Case(name, "structure", what, change=change, reasons=reasons)  # type: ignore[arg-type]


def _deleted(notebook: Notebook) -> None:
    notebook["cells"].remove(cell_of(notebook, "00.to_displayable"))


def _check_deleted(notebook: Notebook) -> None:
    notebook["cells"].remove(check_of(notebook, "00.to_displayable"))


def _check_twice(notebook: Notebook) -> None:
    cell = check_of(notebook, "00.to_displayable")
    notebook["cells"].insert(notebook["cells"].index(cell), copy.deepcopy(cell))


def _check_rewritten(notebook: Notebook) -> None:
    check_of(notebook, "00.to_displayable")["source"] = "4.0"


def _exercise_twice(notebook: Notebook) -> None:
    cell = cell_of(notebook, "00.to_displayable")
    first = {**copy.deepcopy(cell), "source": "def to_displayable(image):\n    return image"}
    notebook["cells"].insert(notebook["cells"].index(cell), first)


def _reordered(notebook: Notebook) -> None:
    notebook["cells"].reverse()


def _ids_gone(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {}
    notebook["metadata"].pop("innervision", None)


def _bad_metadata(notebook: Notebook) -> None:
    for cell, bad in zip(
        notebook["cells"], [[], None, "x", {"nbgrader": 1}, {"nbgrader": {"grade_id": [1]}}] * 99, strict=False
    ):
        cell["metadata"] = bad
    notebook["metadata"] = {"innervision": {"lesson": ["00"]}, "kernelspec": {"name": "../../evil"}}


def _points_in_metadata(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"].setdefault("nbgrader", {})["points"] = 1000
    cell_of(notebook, "00.to_displayable")["source"] = "def to_displayable(image):\n    return image"


def _type_changed(notebook: Notebook) -> None:
    cell = cell_of(notebook, "00.to_displayable")
    cell["cell_type"] = "markdown"
    for name in ("outputs", "execution_count"):
        cell.pop(name, None)


def _renamed(notebook: Notebook) -> None:
    cell = cell_of(notebook, "00.to_displayable")
    cell["source"] = cell["source"].replace("def to_displayable", "def my_own_function")


def _setup_rewritten(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "import torch" in "".join(cell["source"]):
            cell["source"] = "raise SystemExit"


def _attachments(notebook: Notebook) -> None:
    bomb = "UEsDBBQAAAAIAAAAAAA" * 200_000
    notebook["cells"].insert(
        0,
        {
            "cell_type": "markdown",
            "id": "bomb",
            "metadata": {},
            "source": "![](attachment:../../x.zip)",
            "attachments": {"../../x.zip": {"application/zip": bomb}},
        },
    )


def _odd_cells(notebook: Notebook) -> None:
    notebook["cells"] += [
        None,
        3,
        [],
        {},
        {"cell_type": "code"},
        {"cell_type": "code", "source": {"a": 1}},
        code("1 +"),
    ]


def _windows(notebook: Notebook) -> bytes:
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")
    return json.dumps(notebook, indent=1).replace("\n", "\r\n").encode()


def _old_format(notebook: Notebook) -> None:
    notebook["nbformat"] = 3


STRUCTURE = [
    unreadable("not-json", "is a text", b"def to_displayable(image): ...", "it is not JSON (line 1)"),
    unreadable("empty", "is an empty file", b"", "it is not JSON"),
    unreadable("broken-off", "breaks off in the middle", b'{"cells": [{"cell_type": "code", ', "it is not JSON"),
    unreadable("json-list", "is JSON of another kind", b"[1, 2, 3]", "JSON but not a notebook"),
    unreadable(
        "no-cells", "has no list of cells", b'{"nbformat": 4, "metadata": {}, "cells": {}}', "it has no list of cells"
    ),
    unreadable(
        "not-utf8", "is not text in UTF-8", b'{"nbformat": 4, "cells": ["\xe4\xff"]}', "it is not text in UTF-8"
    ),
    unreadable("deep-json", "is nested a hundred thousand levels deep", b"[" * 100_000, "nested too deeply"),
    unreadable(
        "many-empty-lists",
        "holds ten million empty lists",
        b"[" + b"[]," * 9_000_000 + b"[]]",
        "more than 5,000,000 values",
    ),
    unreadable(
        "long-number",
        "holds a number of a million digits",
        b'{"nbformat": ' + b"4" * 1_000_000 + b"}",
        "a number too long to read",
    ),
    unreadable("200-mb", "has 200 MB", b" " * 200_000_000, "larger than 50,000,000 bytes"),
    Case(
        "format-3", "structure", "has an old format", change=_old_format, points=NOTHING, reasons=("notebook format 3",)
    ),
    Case(
        "much-code",
        "structure",
        "has three million characters of code",
        before=("#" * 3_000_000,),
        points=NOTHING,
        reasons=("characters of code",),
    ),
    Case(
        "deleted",
        "structure",
        "lacks the cell of an exercise",
        change=_deleted,
        points=BOTH,
        reasons=("there is no cell 00.to_displayable",),
    ),
    Case(
        "renamed",
        "structure",
        "has another name for the function",
        change=_renamed,
        points=BOTH,
        reasons=("there is no to_displayable",),
    ),
    Case(
        "points-in-metadata",
        "structure",
        "says in its metadata that it is worth more",
        change=_points_in_metadata,
        points=BOTH,
        reasons=("shape (3, 2, 3)",),
    ),
    kept("check-deleted", "lacks a check cell", _check_deleted),
    kept("check-twice", "has a check cell twice; nbgrader stops grading everybody", _check_twice),
    kept("check-rewritten", "says its score in the check cell", _check_rewritten, "was edited"),
    kept("exercise-twice", "has an exercise twice; the last filled one counts", _exercise_twice, "appears twice"),
    kept("reordered", "has its cells in reverse order", _reordered),
    kept("ids-gone", "has lost all metadata and cell ids", _ids_gone),
    kept("bad-metadata", "has metadata of every wrong kind", _bad_metadata),
    kept("type-changed", "has an exercise in a text cell", _type_changed, "had become a text cell"),
    kept("setup-rewritten", "ends Python in the course's set-up cell", _setup_rewritten),
    kept("attachments", "has attachments that unpack to more, and names that lead elsewhere", _attachments),
    kept("odd-cells", "has cells that are no cells", _odd_cells),
    kept("bom", "begins with a byte order mark", lambda notebook: b"\xef\xbb\xbf" + json.dumps(notebook).encode()),
    kept("windows-lines", "has Windows line ends, outside and inside the cells", _windows),
]


def honest(name: str, what: str, cells: dict[str, str], *before: str) -> Case:
    """Right work that looks odd."""
    return Case(name, "honest", what, cells, before)


HONEST = [
    Case("solved", "honest", "is the solved notebook"),
    honest(
        "warning",
        "warns; nbgrader takes all points for that",
        displayable("import warnings\nwarnings.warn('careful')\n" + RIGHT),
    ),
    honest(
        "error-stream", "writes to the error stream", displayable("import sys\nprint('hm', file=sys.stderr)\n" + RIGHT)
    ),
    honest(
        "prints",
        "prints 300,000 lines",
        displayable(
            "if image.dim() == 4 and len(image) == 2:\n    for n in range(300_000):\n        print(n)\n" + RIGHT
        ),
    ),
    honest(
        "tqdm", "shows a bar", displayable("from tqdm.auto import tqdm\nfor _ in tqdm(range(10)):\n    pass\n" + RIGHT)
    ),
    honest(
        "helpers",
        "has its helpers in cells of its own",
        displayable("return helper(image)"),
        "import torch\ndef helper(image):" + RIGHT.replace("\n", "\n    "),
        "helper(torch.zeros(3, 2, 2))",
    ),
    honest(
        "magics",
        "has magics and shell lines",
        {"00.to_displayable": "%matplotlib inline\n!pip list\n" + SOLUTIONS["00.to_displayable"]},
        "%%bash\necho hello",
        "%load_ext autoreload\nfiles = !ls",
    ),
    honest("async", "waits at the top level of a cell", displayable(RIGHT), "import asyncio\nawait asyncio.sleep(0)"),
    honest(
        "async-helper",
        "gets a constant from a coroutine",
        displayable("image = image * ONE\n" + RIGHT),
        "import asyncio\nasync def one():\n    return 1.0\nONE = await one()",
    ),
    honest("float64", "computes in double precision", displayable("image = image.double()\n" + RIGHT)),
    honest(
        "device",
        "chooses a device",
        displayable("image = image.to('cuda' if torch.cuda.is_available() else 'cpu')\n" + RIGHT),
    ),
    honest(
        "in-place",
        "changes its input in place",
        predictions(
            "logits -= logits.amax(1, keepdim=True)\nlogits.exp_()\nlogits /= logits.sum(1, keepdim=True)\n"
            + MOST_LIKELY
        ),
    ),
    honest(
        "global-state",
        "keeps count over all exercises",
        {
            **displayable("CALLS.append(1)\n" + RIGHT),
            **predictions("CALLS.append(2)\nassert len(CALLS) > 1\nlogits = logits.softmax(1)\n" + MOST_LIKELY),
        },
        "CALLS = []",
    ),
    honest(
        "randomness",
        "draws random numbers that it does not need",
        displayable("torch.rand(7)\ntorch.manual_seed(1)\nimport random\nrandom.seed(2)\n" + RIGHT),
    ),
    honest(
        "class-in-cell",
        "has a class and a decorator",
        displayable(
            "return Stretch()(image)",
            "class Stretch:\n    def __call__(self, image):" + RIGHT.replace("\n", "\n        "),
        ),
    ),
    honest(
        "numpy",
        "computes in NumPy and returns a tensor",
        displayable("import numpy\nimage = torch.from_numpy(numpy.array(image.detach().numpy()))\n" + RIGHT),
    ),
    honest(
        "imports-check",
        "imports check and calls it",
        {
            "00.to_displayable": "from innervision import check, hint\n"
            + displayable(RIGHT)["00.to_displayable"]
            + "\ncheck('00.to_displayable')"
        },
    ),
    honest(
        "forgotten-try",
        "calls the function at the end of its cell, with an error",
        {"00.to_displayable": displayable(RIGHT)["00.to_displayable"] + "\nto_displayable(None)"},
    ),
    honest(
        "others-function",
        "uses the library's version of another exercise",
        displayable("import innervision\ninnervision.top_predictions(torch.zeros(1, 3), ['a', 'b', 'c'], 1)\n" + RIGHT),
    ),
]

ODD = [*STRUCTURE, *HONEST]
