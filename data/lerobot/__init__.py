"""A LeRobot directory: where things stand, what its metadata says, its rows and videos."""
