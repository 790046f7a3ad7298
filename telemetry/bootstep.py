"""Celery's side of a line worker: `celery worker --line NAME` runs one beside its pool.

A step of the worker, not of its consumer: polling begins before a broker was found and goes on
when it is lost.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps


class LineWorkerStep(bootsteps.StartStopStep):
    """Starts the line worker that `--line` names; without the option the step does nothing."""

    requires = {"celery.worker.components:Timer"}

    def __init__(self, parent: Any, line: str | None = None, **options: Any) -> None:
        super().__init__(parent, **options)
        self.line = line
        self.enabled = bool(line)

    def start(self, parent: Any) -> None:
        from telemetry.line_worker import LineWorker, running  # its models need Django set up

        worker = LineWorker(str(self.line))
        running.append(worker)
        worker.start()

    def stop(self, parent: Any) -> None:
        from telemetry.line_worker import running

        while running:
            running.pop().end()

    terminate = stop
