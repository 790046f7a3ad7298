"""What runs in the bounded child: files to rows, with no Django and nothing that needs it.

The child starts with the file as its standard input and can open nothing else. Whatever it cannot
or will not read it refuses by a code (`refusal.Refused`); the parent has the sentences.
"""
