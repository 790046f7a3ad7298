"""The file of one household (一户一档): photos and PDF papers taken in, kept and typeset."""
