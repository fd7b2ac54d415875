"""Writing a data set: episodes into shards, shards into LeRobot files, whole or not there."""
