"""Speed and quality against peers and bounds, measured in one run; never part of the tests."""
