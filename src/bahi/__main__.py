"""`python -m bahi`: the terminal."""

from bahi.cli.app import main

if __name__ == "__main__":
    main()
