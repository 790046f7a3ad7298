"""The demonstration district: 820 fictitious households of the notice's plan, 185 simulated units.

`people` has names, numbers and accounts that cannot be taken for real ones, `district` the plan,
the households and their steps, `farm` suppliers, units and the simulator's file, `history` what
the units told in the past days, `docking` what the makers brought and how far it was tested.
"""
