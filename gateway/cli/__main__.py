"""`python -m gateway.cli`: how a process of ours starts another one of ours, whatever is on the PATH."""

from gateway.cli import main

if __name__ == "__main__":
    main()
