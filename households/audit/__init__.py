"""The history of all records: triggers that write it, its story in words, the seals over it."""
