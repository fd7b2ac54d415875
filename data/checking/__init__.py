"""Finding what is wrong with a LeRobot directory."""
