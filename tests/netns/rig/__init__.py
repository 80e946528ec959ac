"""Machines for tests, as network namespaces: topology, processes, IPOP nodes and measurements."""
