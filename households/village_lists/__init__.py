"""The list of a village, the slips that change it once it is filed, and steps entered later."""
