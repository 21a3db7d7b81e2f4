"""`python -m bot`: words of a command line come in, an exit code goes out."""

from bot.cli import main

if __name__ == "__main__":
    main()
