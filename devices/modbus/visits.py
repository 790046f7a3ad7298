"""Visits to one unit: reading what its plan names, and writing one signal until it is proven.

A visit asks its questions one by one; between two of them the line may serve others, but no
second writing visit to the same unit.
"""

from devices.modbus.reading import UnitRead, again, read
from devices.modbus.writing import Wish, WriteResult, settle, write, write_together

__all__ = ["UnitRead", "Wish", "WriteResult", "again", "read", "settle", "write", "write_together"]
