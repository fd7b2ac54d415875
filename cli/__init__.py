"""The command line: one verb a file, and the pipeline that runs them all."""
