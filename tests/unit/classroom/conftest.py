"""Files under ``fixtures`` are read by the tests; they are not tests."""

collect_ignore_glob = ["fixtures/*"]
