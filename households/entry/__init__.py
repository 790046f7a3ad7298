"""Entering a household and correcting it: form, what is missing, doubles, two officers at once."""
