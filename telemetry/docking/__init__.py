"""Runs of the test bench on a maker's sample: queued, run on the line, shown, judged, reported."""
