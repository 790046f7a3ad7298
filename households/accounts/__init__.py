"""Accounts of people: signing in, second factors, sessions, and what their keepers do to them."""
