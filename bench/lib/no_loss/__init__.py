"""Parts of `./dev bench no-loss` and of its shorter run in the tests."""
