"""Which mix was worth it: frozen suites, closed loop, offline metrics, statistics, the report.

A run's evidence is made in this order: `suites` freezes the scenes, `closed_loop` runs every
policy on them in any World and gives an `evaluation` each, `offline` scores the same policies on
held-out recordings, `compare` pairs the outcomes (`statistics`), `fidelity` asks whether two
worlds rank policies alike, and `report` writes report.json (`schema`) and report.html (`plots`,
`clips`, `verdict`).
"""
