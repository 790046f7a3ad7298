"""The ledger as workbooks: reading, checking and importing them, and writing them out."""
