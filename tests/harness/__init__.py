"""What `./dev test` is made of: build trees, suites and the report that adds them up."""
