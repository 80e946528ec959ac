"""Speed from host to host, in network namespaces: what is measured, of which systems, and how."""
