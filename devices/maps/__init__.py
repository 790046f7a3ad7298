"""点表: makers' register maps as pages. Upload, editor, check against Annex 2, comparison, decoding
by hand, download. What a register map means is told in `devices.modbus.pointmap`."""
