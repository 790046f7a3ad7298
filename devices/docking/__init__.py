"""Docking (数据对接): from a maker's application to the confirmation that the gates ask for."""
