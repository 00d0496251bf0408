"""What a shell command would do: parser, abstract walk and command model (bash 5.2 grammar; POSIX shells are within it)."""
