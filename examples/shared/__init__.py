"""What programs of several folders share: command line, evaluation, results and pictures."""
