"""A step of nbgrader's ``generate_assignment`` that only the Inner Vision course needs. Imports nbgrader."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from innervision.classroom.stubs import PLACEHOLDER


class QuestionStubs(NbGraderPreprocessor):
    """Leaves ``answer = ...`` alone in a released question, as in the notebooks of the course."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Drop nbgrader's placeholder from question cells."""
        if cell.metadata.get("innervision", {}).get("role") == "question":
            cell.source = cell.source.removesuffix(PLACEHOLDER).rstrip()
        return cell, resources
