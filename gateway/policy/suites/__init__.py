"""Policy test suites as Cerbos has them (`*_test.yaml`): read, expanded to single checks, run, and reported."""
